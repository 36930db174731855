"""The state of a replay as bytes, so that an interrupted replay can go on."""
