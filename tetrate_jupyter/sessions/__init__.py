"""The session: key, client, catalog, ledger, current model and conversation in one object."""
