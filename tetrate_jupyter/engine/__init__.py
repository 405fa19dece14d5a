"""The engine: key, client, catalog, ledger, current model and conversation in one object, shown by others."""
