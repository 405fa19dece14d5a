"""What people use: the session, and the one that magics, panels and Python code share."""
