"""Replay: the monitor's pipeline and the dispatcher over an archive, by the clock of its records."""
