"""Tests of the ledger: what is on disk, what is made of it, and what holds budgets."""
