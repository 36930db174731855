"""The addresses of a host, and which of them may be connected to.

An address that is not public may be that of a service inside a network, or of the function's environment.
The address that was checked is the one that is connected to, whatever the name resolves to later.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final

UNICAST: Final = IPv6Network("2000::/3")
"""All of IPv6 that IANA has assigned to the internet. Outside it are forms in which a private IPv4 address is
embedded, such as `::a.b.c.d` and `::ffff:0:a.b.c.d`, and site-local addresses."""
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
    """Whether an address belongs to the internet, or stands for one that does."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _carried(found)
    return inner.is_global and not inner.is_multicast and (isinstance(inner, IPv4Address) or inner in UNICAST)


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address stands for, or else the address itself.

    6to4 and Teredo addresses, which contain IPv4 addresses too, do not count as global.
    """
    if isinstance(address, IPv4Address):
        return address
    return IPv4Address(int(address) & _LAST) if address in NAT64 else address.ipv4_mapped or address
