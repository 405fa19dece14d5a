"""Answers that are kept: what a question is told by, how an answer is written down, and the two places for them."""
