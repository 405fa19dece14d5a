"""What the simulated models say: deterministic, honest about being simulated, with a few small real skills."""
