"""The sandbox router: a real HTTP server on loopback that behaves as the service is known to behave."""
