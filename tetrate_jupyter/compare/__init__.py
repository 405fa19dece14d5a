"""Comparing models: what is asked (setup, forecast), asking it (running), and the outcome (result)."""
