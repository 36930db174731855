"""Turns EventBridge events into triggers, which define the scope of a run. Pure."""
