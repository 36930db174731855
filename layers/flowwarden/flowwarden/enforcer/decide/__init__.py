"""Turns observed and desired state into verdicts and plans. Pure: no I/O, no clock."""
