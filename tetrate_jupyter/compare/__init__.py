"""Comparing models: what to ask (setup, forecast), asking it (running), and what came of it (result), kept apart."""
