"""Baselines: the usual behavior of the hosts of a role, and what a batch adds to it. Pure."""
