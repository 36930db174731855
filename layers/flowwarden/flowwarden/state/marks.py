"""Marks: a server and its service in one number, as a set holds it. Pure.

The address is a hash of 24 bits, so that a mark names a server only to whoever knows its address.
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
    """The hash of the server, the protocol and the port of a mark."""
    return number >> _SERVER_AT, number >> _PROTOCOL_AT & 0xFF, number & 0xFFFF


def server_hash(server: str) -> int:
    """The 24 bits that a mark holds of an address."""
    return fingerprint(server) >> _SERVER_AT
