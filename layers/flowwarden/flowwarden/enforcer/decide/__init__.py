"""Observed and desired state become verdicts and plans. Pure; no I/O, no clock."""
