"""State that invocations share: sets that only grow, heartbeats of interfaces. Pure."""
