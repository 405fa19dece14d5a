"""Spans of what is asked, with the real SDK."""
