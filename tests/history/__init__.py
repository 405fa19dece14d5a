"""Tests of kept conversations: what is on disk, and what a session makes of it."""
