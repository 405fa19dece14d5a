"""Documents that are generated from the code, and checked."""
