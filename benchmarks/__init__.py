"""The benchmark: the time to read a payload, compared with lower bounds and with other parsers."""
