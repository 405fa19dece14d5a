"""What asks: key, client, catalog, ledger, current model and conversation in one object, below all that shows it."""
