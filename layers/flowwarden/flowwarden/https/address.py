"""The addresses of a host, and which of them may be connected to.

An address that is not public may be that of a service inside a network, or of the function's environment.
The address that was checked is the one that is connected to, whatever the name resolves to later.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final

NAT64: Final = IPv6Network("64:ff9b::/96")
"""Addresses whose last four bytes are an IPv4 address (RFC 6052)."""
_LAST: Final = 0xFFFF_FFFF


def resolve(
    host: str, port: int, seconds: float, look_up_all: Callable[..., Any] = socket.getaddrinfo
) -> list[str]:
    """The addresses of a host, without duplicates. Raises OSError if there are none within `seconds`.

    `getaddrinfo` has no time limit, so a thread calls it; a call that hangs ends with the process.
    """
    answers = SimpleQueue[list[str] | OSError]()

    def look_up() -> None:
        try:
            found = look_up_all(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError(str(error)))
        else:
            answers.put(list(dict.fromkeys(str(each[4][0]) for each in found)))

    Thread(target=look_up, daemon=True).start()
    try:
        answer = answers.get(timeout=max(seconds, 0.001))
    except Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def is_public(address: str) -> bool:
    """Whether an address belongs to the internet, with every address that is embedded in it."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(each.is_global and not each.is_multicast for each in _with_embedded(found))


def _with_embedded(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """The address; in place of an IPv6 address that stands for an IPv4 address, also that one."""
    if isinstance(address, IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in NAT64:
        yield IPv4Address(int(address) & _LAST)
