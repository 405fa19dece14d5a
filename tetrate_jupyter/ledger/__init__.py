"""What was asked and what it cost: records on disk for as long as they are wanted, sums of them, and budgets."""
