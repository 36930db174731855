"""One HTTPS request and its answer, within a time limit and a limit of size.

Redirects are not followed. Each request has a connection of its own, which is closed: notifications are rare.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from flowwarden.errors import PublishFailed, PublishRefused, PublishUnanswered
from flowwarden.https.address import is_public, resolve
from flowwarden.printable import one_line

MOST_ANSWER: Final = 16_384
"""Bytes of an answer that are read, with its headers; the rest is not needed."""
MOST_ADDRESSES: Final = 3
"""Addresses of a host that are tried."""
CONNECT_SECONDS: Final = 1.5
"""The longest time to connect to one address, without TLS."""
_CHUNK: Final = 16_384
_PORT: Final = 443
_INFORMATIONAL: Final = 200
_HOST: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?|[0-9a-f.]*:[0-9a-f:.]*")
"""A name that can exist, in lower case, or an IPv6 address. A retry cannot resolve any other."""

type Resolve = Callable[[str, int, float], list[str]]
"""The addresses of a host and port, within some seconds. Raises OSError."""


class Answer(Struct, frozen=True):
    """The answer of a service."""

    status: int
    headers: Mapping[str, str] = {}
    """With names in lower case."""
    text: str = ""
    """The beginning of the body, on one line."""


class Https(Struct, frozen=True, kw_only=True):
    """Makes requests. Tests inject what is allowed and trusted on loopback."""

    authorities: Callable[[], ssl.SSLContext]
    """The context with the certificate authorities that are trusted."""
    allows: Callable[[str], bool] = is_public
    """Whether an address may be connected to."""
    resolve: Resolve = resolve
    clock: Callable[[], float]
    """Seconds that only grow."""

    def post(self, url: str, body: bytes, seconds: float) -> Answer:
        """Send a JSON document to an address within some seconds.

        Raises:
            PublishRefused: the URL is not allowed, or its host has an address that is not.
            PublishUnanswered: the document may have arrived, but there is no answer that can be read.
            PublishFailed: the document did not arrive.
        """
        until, parts = self.clock() + seconds, _checked(url)
        place = f"https://{parts.hostname}"  # the rest of the URL may be a secret
        try:
            connected = self._connected(parts, until)
        except OSError as error:
            raise PublishFailed(f"{place}: cannot connect: {one_line(str(error))}") from error
        with connected:
            try:
                self._send(connected, _request(parts, body), until)
                return _answer(self._received(connected, until))
            except (OSError, HTTPException, ValueError) as error:
                reason = one_line(str(error)) or type(error).__name__
                raise PublishUnanswered(f"{place}: no answer: {reason}") from error

    def _connected(self, parts: SplitResult, until: float) -> ssl.SSLSocket:
        """A connection to the first address of the host that accepts one. Raises OSError, PublishRefused."""
        host, port = str(parts.hostname), parts.port or _PORT
        addresses = self.resolve(host, port, self._left(until))
        refused = [each for each in addresses if not self.allows(each)]
        if refused or not addresses:
            raise PublishRefused(
                f"https://{host}: the host has an address that is not public: {', '.join(refused)}"
            )
        failure = OSError("no address")
        for address in addresses[:MOST_ADDRESSES]:
            try:
                plain = socket.create_connection((address, port), min(CONNECT_SECONDS, self._left(until)))
            except OSError as error:
                failure = error
                continue
            return self._secured(plain, host, until)
        raise failure

    def _secured(self, plain: socket.socket, host: str, until: float) -> ssl.SSLSocket:
        """The connection with TLS; the certificate must be that of the host, not of the address."""
        try:
            plain.settimeout(self._left(until))
            return self.authorities().wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    def _send(self, connected: ssl.SSLSocket, request: bytes, until: float) -> None:
        for begin in range(0, len(request), _CHUNK):
            connected.settimeout(self._left(until))
            connected.sendall(request[begin : begin + _CHUNK])

    def _received(self, connected: ssl.SSLSocket, until: float) -> bytes:
        """The answer, at most `MOST_ANSWER` bytes of it; each part of it counts toward the same time."""
        received = b""
        while len(received) < MOST_ANSWER and not _is_whole(received):
            try:
                connected.settimeout(self._left(until))
                part = connected.recv(MOST_ANSWER - len(received))
            except OSError:
                if _has_headers(received):  # the status is known
                    return received
                raise
            if not part:
                break
            received += part
        return received

    def _left(self, until: float) -> float:
        """The remaining seconds. Raises TimeoutError if there are none."""
        left = until - self.clock()
        if left <= 0:
            raise TimeoutError("timed out")
        return left


def _checked(url: str) -> SplitResult:
    """The parts of a URL that is allowed. Raises PublishRefused, without the URL, which may be a secret."""
    try:
        parts = urlsplit(url)
        known = parts.scheme == "https" and parts.username is None and (parts.port or 1)
        valid = bool(known and _HOST.fullmatch(parts.hostname or ""))
    except ValueError:
        valid = False
    if not valid or not url.isascii() or not url.isprintable() or " " in url:
        raise PublishRefused("the URL is not valid; write one that begins with https:// and has a host")
    return parts


def _request(parts: SplitResult, body: bytes) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    head = (
        f"POST {target} HTTP/1.1",
        f"Host: {host}",
        "User-Agent: flow-warden",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Accept-Encoding: identity",
        "Connection: close",
        "",
        "",
    )
    return "\r\n".join(head).encode("ascii") + body


def _has_headers(received: bytes) -> bool:
    return b"\r\n\r\n" in received


def _is_whole(received: bytes) -> bool:
    """Whether an answer with a stated length is complete; without one, the end of the connection ends it."""
    head, found, body = received.partition(b"\r\n\r\n")
    lengths = [each for each in _lines(head) if each.lower().startswith(b"content-length:")]
    stated = lengths[0].partition(b":")[2].strip() if lengths else b""
    return bool(found) and stated.isdigit() and len(body) >= int(stated[:9])


def _lines(head: bytes) -> Iterator[bytes]:
    return iter(head.split(b"\r\n"))


class _Received:
    """What `HTTPResponse` expects of a socket."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, _mode: str) -> BytesIO:
        """The answer as a file."""
        return BytesIO(self._received)


def _answer(received: bytes) -> Answer:
    """The status, headers and beginning of the body. Raises HTTPException, ValueError."""
    if not _has_headers(received):
        raise ValueError("the connection ended, or the answer is too large, before its headers ended")
    given: Any = _Received(received)
    response = HTTPResponse(given)
    response.begin()
    if response.status < _INFORMATIONAL:
        raise ValueError(f"status {response.status}")
    headers = {name.lower(): value for name, value in response.getheaders()}
    body = received.partition(b"\r\n\r\n")[2]
    return Answer(response.status, headers, one_line(body.decode(errors="replace")))
