"""A server on loopback with a certificate of its own authority, which answers as a test says."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flowwarden.https.transport import Https

HOST: Final = "hooks.example.test"
LOOPBACK: Final = "127.0.0.1"
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

type Answer = bytes | Callable[[ssl.SSLSocket], None]
"""What the server sends, or what it does with the connection."""


def status(code: int, *headers: str, body: str = "") -> bytes:
    """An answer with a status, headers and a body."""
    lines = (f"HTTP/1.1 {code} Some", *headers, f"Content-Length: {len(body.encode())}", "", body)
    return "\r\n".join(lines).encode()


@cache
def certificate() -> tuple[bytes, bytes]:
    """A certificate for `HOST` that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    begin = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return made.public_bytes(pem), private


@cache
def trusted() -> ssl.SSLContext:
    """A context that trusts the server's authority and no other."""
    return ssl.create_default_context(cadata=certificate()[0].decode())


def is_loopback(address: str) -> bool:
    """Whether an address is on this machine."""
    return ip_address(address).is_loopback


def to_loopback(**changed: Any) -> Https:
    """The transport, which resolves every name to this machine and trusts the server's authority."""
    members: dict[str, Any] = {
        "clock": time.monotonic,
        "authorities": trusted,
        "allows": is_loopback,
        "resolve": lambda *_: [LOOPBACK],
    }
    return Https(**members | changed)


class Server:
    """Answers each connection with the next answer; the last one repeats."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.received: list[bytes] = []
        """The requests, with their headers."""
        self._answers = list(answers)
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"https://{HOST}:{self.port}/services/T0/secret-path"
        self.stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "both.pem"
            path.write_bytes(b"".join(certificate()))
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(path)
        self._thread.start()

    def stop(self) -> None:
        """End it, once; a connection that waits ends, too."""
        if self.stopped.is_set():
            return
        self.stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while not self.stopped.is_set():
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with plain:
                try:
                    plain.settimeout(5)
                    with self._context.wrap_socket(plain, server_side=True) as connected:
                        self._answer(connected)
                except OSError:
                    continue

    def _answer(self, connected: ssl.SSLSocket) -> None:
        self.received.append(_request(connected))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if callable(answer):
            answer(connected)
        else:
            connected.sendall(answer)

    def hang(self, _connected: ssl.SSLSocket) -> None:
        """Never answer."""
        self.stopped.wait(5)

    def bodies(self) -> list[bytes]:
        """The documents that arrived."""
        return [each.partition(b"\r\n\r\n")[2] for each in self.received]


def _request(connected: ssl.SSLSocket) -> bytes:
    """A whole request."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connected.recv(65_536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        int(each.split(b":")[1]) for each in head.split(b"\r\n") if each.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connected.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextmanager
def serving(*answers: Answer) -> Iterator[Server]:
    """A server that gives these answers."""
    server = Server(answers or [OK])
    try:
        yield server
    finally:
        server.stop()
