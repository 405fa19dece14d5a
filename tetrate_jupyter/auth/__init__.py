"""Signing in by OAuth 2.0 with PKCE: pure protocol, the loopback listener, and the attempt as a state machine."""
