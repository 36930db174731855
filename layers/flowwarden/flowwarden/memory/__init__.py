"""State in memory: the ports of the state table, for a run of one process that keeps nothing."""
