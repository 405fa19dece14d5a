"""What the sandbox's models say: deterministic, with a few small real skills. That no model ran is told beside it."""
