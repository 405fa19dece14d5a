"""What travels between the router and us: events, retries, and the one HTTP client."""
