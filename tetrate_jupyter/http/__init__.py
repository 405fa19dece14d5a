"""Talking to the router: the one HTTP client, retries, streams, and errors made of what it answers."""
