"""Marks: a server and its service as one number, for storage in a set. Pure.

The address is stored as a 24-bit hash, so a mark identifies a server only if its address is known.
"""

from __future__ import annotations

from typing import Final

from flowwarden.state.sets import fingerprint

_SERVER_AT: Final = 24
_PROTOCOL_AT: Final = 16


def mark(server: str, protocol: int, port: int) -> int:
    """The mark of a service: 24 bits for the server, 8 for the protocol, 16 for the port."""
    return server_hash(server) << _SERVER_AT | protocol << _PROTOCOL_AT | port


def read_mark(number: int) -> tuple[int, int, int]:
    """The server hash, protocol and port of a mark."""
    return number >> _SERVER_AT, number >> _PROTOCOL_AT & 0xFF, number & 0xFFFF


def server_hash(server: str) -> int:
    """The 24-bit hash of an address in a mark."""
    return fingerprint(server) >> _SERVER_AT
