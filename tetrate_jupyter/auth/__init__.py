"""Sign-in with OAuth 2.0 and PKCE: the protocol (pure), the loopback listener, and the attempt as a state machine."""
