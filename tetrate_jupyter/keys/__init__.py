"""Where a key is found and kept: memory, environment, the system's keyring, a private file."""
