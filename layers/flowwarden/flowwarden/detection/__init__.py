"""Detectors, one file each, and the table that lists them. Pure functions; no I/O, no clock."""
