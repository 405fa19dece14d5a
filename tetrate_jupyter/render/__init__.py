"""Text, answers and tables as safe HTML and as plain text; pure."""
