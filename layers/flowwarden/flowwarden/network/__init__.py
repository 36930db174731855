"""Addresses, peer classes, sides and initiators: the two ends of a flow and which one opened it. No I/O."""
