"""A cache of valid addresses: the C library checks them, and addresses repeat."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from itertools import filterfalse
from typing import Final

from flowwarden.records.values import ABSENT

REMEMBERED: Final = 2**14
"""Maximum cached addresses, 2 MB; beyond it, the cache is cleared, which costs time but changes no result."""


class AddressCache:
    """Caches valid values of address fields: addresses, and the dash of an absent one.

    The strict reader checks all other values.
    """

    def __init__(self) -> None:
        self._known: set[str] = {ABSENT}

    def invalid(self, texts: Iterable[str]) -> set[str]:
        """The texts that are neither an IPv4 or IPv6 address nor a dash."""
        fresh = set(filterfalse(self._known.__contains__, texts))
        if not fresh:
            return fresh
        refused = set() if _are_addresses(fresh) else {text for text in fresh if not _are_addresses([text])}
        fresh -= refused
        if len(self._known) + len(fresh) > REMEMBERED:
            self._known = {ABSENT}
        if len(fresh) < REMEMBERED:
            self._known |= fresh
        return refused


def _are_addresses(texts: Iterable[str]) -> bool:
    try:
        for text in texts:
            socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True
