"""A failed cell: what is collected of it, asked about it, and made of the answer."""
