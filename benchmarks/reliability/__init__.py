"""Faults of every kind against the promises of both functions, and a load run with poison and doubles."""
