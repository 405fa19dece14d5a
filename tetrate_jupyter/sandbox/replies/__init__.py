"""What the sandbox's models say: deterministic, with a few small real skills. They are marked as such elsewhere."""
