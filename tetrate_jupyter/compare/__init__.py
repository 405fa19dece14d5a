"""Comparing models: what to ask (setup, forecast), asking it (running), and its outcome (result), kept apart."""
