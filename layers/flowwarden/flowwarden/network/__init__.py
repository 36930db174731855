"""Addresses and peer classes, side and initiator: who talked to whom, and who started it. No I/O."""
