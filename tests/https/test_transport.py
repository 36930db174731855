"""One HTTPS request, on a server on loopback: what arrives, and how each fault ends."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable

import pytest

from flowwarden.errors import PublishFailed, PublishRefused, PublishUnanswered
from flowwarden.https.transport import MOST_ANSWER, Answer, Https
from tests.https.server import HOST, LOOPBACK, OK, Server, serving, status, to_loopback

BODY = b'{"text": "x"}'


def post(server: Server, transport: Https | None = None, seconds: float = 5) -> Answer:
    """The answer of a server."""
    return (transport or to_loopback()).post(server.url, BODY, seconds)


def test_a_request_arrives_whole_and_its_answer_is_read() -> None:
    """With the name of the host, so that the service can be one of several at its address."""
    with serving(status(202, "X-Some: 1", body="accepted\nwell")) as server:
        assert post(server) == Answer(202, {"x-some": "1", "content-length": "13"}, "accepted well")
    head, _, body = server.received[0].partition(b"\r\n\r\n")
    assert body == BODY
    assert head.startswith(b"POST /services/T0/secret-path HTTP/1.1\r\n")
    assert f"Host: {HOST}:{server.port}".encode() in head
    assert b"Content-Type: application/json" in head


def test_a_large_request_arrives_whole() -> None:
    """Half a megabyte, as PagerDuty allows."""
    with serving(OK) as server:
        assert to_loopback().post(server.url, b"x" * 500_000, 5).status == 200
    assert server.bodies() == [b"x" * 500_000]


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    """Or with the time, once its status is known."""

    def slow(connected: ssl.SSLSocket) -> None:
        connected.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        time.sleep(0.6)

    with serving(b"HTTP/1.1 200 OK\r\n\r\nok", slow) as server:
        assert post(server).text == "ok"
        assert post(server, seconds=0.4).status == 204


def test_a_redirect_is_not_followed() -> None:
    """Its target gets nothing."""
    with serving(OK) as target, serving(status(302, f"Location: {target.url}")) as server:
        assert post(server).status == 302
    assert target.received == []


def test_an_oversized_answer_is_read_in_part() -> None:
    """Its status counts."""

    def endless(connected: ssl.SSLSocket) -> None:
        connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
        for _ in range(1000):
            connected.sendall(b"x" * 65_536)

    with serving(endless) as server:
        answer = post(server)
    assert answer.status == 200
    assert len(answer.text) <= MOST_ANSWER


def _drip(connected: ssl.SSLSocket) -> None:
    for char in b"HTTP/1.1 200 OK and so on, slowly":
        connected.sendall(bytes([char]))
        time.sleep(0.05)


def _late(connected: ssl.SSLSocket) -> None:
    time.sleep(0.7)
    connected.sendall(OK)


UNANSWERED: dict[str, Callable[[ssl.SSLSocket], None] | bytes] = {
    "nothing": lambda _connected: time.sleep(0.7),
    "a late answer": _late,
    "one byte after the other": _drip,
    "an end": lambda _connected: None,
    "half an answer": b"HTTP/1.1 200 OK\r\nContent-Le",
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "only an interim answer": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 70_000,
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 200 + b"\r\n",
}


@pytest.mark.parametrize("answer", UNANSWERED.values(), ids=UNANSWERED)
def test_without_an_answer_that_can_be_read_it_may_have_arrived(
    answer: Callable[[ssl.SSLSocket], None] | bytes,
) -> None:
    """Within the time, whatever the server does."""
    begin = time.monotonic()
    with serving(answer) as server:
        with pytest.raises(PublishUnanswered, match="no answer"):
            post(server, seconds=0.5)
        assert time.monotonic() - begin < 2
    assert server.bodies() == [BODY]


def test_a_host_that_cannot_be_reached_got_nothing() -> None:
    """The batch may be retried without a copy."""
    with serving(OK) as server:
        pass
    with pytest.raises(PublishFailed, match="cannot connect") as failed:
        post(server)
    assert not isinstance(failed.value, PublishUnanswered | PublishRefused)


@pytest.mark.parametrize(
    ("transport", "host"),
    [
        (to_loopback(authorities=ssl.create_default_context), HOST),
        (to_loopback(), "other.example.test"),
        (to_loopback(), LOOPBACK),
    ],
    ids=["an unknown authority", "another name", "an address"],
)
def test_a_certificate_that_does_not_prove_the_host_gets_nothing(transport: Https, host: str) -> None:
    """Neither of an authority that is not trusted, nor for another name."""
    with serving(OK) as server, pytest.raises(PublishFailed, match=r"cannot connect.*certificate"):
        transport.post(server.url.replace(HOST, host), BODY, 5)
    assert server.received == []


@pytest.mark.parametrize("addresses", [[LOOPBACK], ["8.8.8.8", "10.0.0.1"], []])
def test_a_host_with_an_address_that_is_not_public_is_refused(addresses: list[str]) -> None:
    """By the check that the stack uses; also if another of its addresses is public."""
    transport = Https(
        authorities=ssl.create_default_context, resolve=lambda *_: addresses, clock=time.monotonic
    )
    with serving(OK) as server, pytest.raises(PublishRefused, match="not public"):
        post(server, transport)
    assert server.received == []


def test_the_address_that_was_checked_is_connected_to() -> None:
    """A name that resolves to another address at the next question is asked once."""
    answers = [[LOOPBACK], ["10.0.0.1"]]
    with serving(OK) as server:
        assert post(server, to_loopback(resolve=lambda *_: answers.pop(0))).status == 200
    assert answers == [["10.0.0.1"]]


def test_the_next_address_is_tried_if_one_does_not_answer() -> None:
    """A service has several."""
    with serving(OK) as server:
        assert post(server, to_loopback(resolve=lambda *_: ["127.0.0.2", LOOPBACK])).status == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.test/x", "https:///x", "hooks.example.test", "https://a b/", "file:///etc/passwd",
        "https://user:password@hooks.example.test/", "https://hooks.example.test:99999/", "https://[::1/",
        "https://hooks.example.test/\r\nX: 1", "https://hooks.éxample.test/", "https://hooks.example.test:x/",
        "https://hooks..example.test/", "https://.example.test/", f"https://{'x' * 64}.test/", "https://x,test/",
        "https://[fe80::1%25eth0]/", f"https://{'x.' * 200}test/",
    ],
)  # fmt: skip
def test_a_url_that_is_not_allowed_is_refused_without_showing_it(url: str) -> None:
    """It may be a secret."""
    with pytest.raises(PublishRefused) as refused:
        to_loopback().post(url, BODY, 1)
    assert url not in str(refused.value)


def test_no_error_shows_the_path_of_the_url() -> None:
    """The path of a webhook is its secret."""
    with serving(b"") as server, pytest.raises(PublishUnanswered) as unanswered:
        post(server)
    with pytest.raises(PublishFailed) as failed:
        post(server)
    assert "secret-path" not in f"{unanswered.value} {failed.value}"


def test_with_no_time_nothing_is_sent() -> None:
    """The request did not begin."""
    with serving(OK) as server, pytest.raises(PublishFailed, match="cannot connect"):
        post(server, seconds=-1)
    assert server.received == []
