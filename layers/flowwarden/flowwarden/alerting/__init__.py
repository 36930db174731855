"""Incidents, and how they are told to people and machines. Pure; no I/O, no clock."""
