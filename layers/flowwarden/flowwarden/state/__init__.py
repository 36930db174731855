"""Shared state of invocations: sets that only grow, and heartbeats of interfaces. Pure."""
