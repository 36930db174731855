"""Detectors, one file each. Pure functions; no I/O, no clock."""
