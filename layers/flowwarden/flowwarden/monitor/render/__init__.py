"""Findings as notifications: the page, telemetry, the roll-up. Pure; no I/O, no clock."""
