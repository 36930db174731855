"""The lengths, in bits, of the longest numbers in the sets of the state table."""

from __future__ import annotations

from typing import Final

from flowwarden.state.sets import BUCKETS

PEER: Final = 66
"""Of a peer: an IPv6 network of 64 bits, and its kind; see `monitor/baseline/shown.py`."""
SHOWN: Final = PEER + 26
"""Of an edge: with port, protocol and direction."""
BUCKET: Final = (BUCKETS - 1).bit_length()
SESSION: Final = 31
"""In a window of sessions; see `monitor/traffic/sessions.py`."""
