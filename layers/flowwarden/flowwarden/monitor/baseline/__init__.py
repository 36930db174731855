"""Baselines: what the hosts of a role usually do, and what a batch adds to them. Pure."""
