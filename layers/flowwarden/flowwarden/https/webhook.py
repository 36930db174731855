"""A service outside AWS that takes notifications at a URL, with its secret.

| Answer | Outcome |
|---|---|
| 2xx | sent |
| 408, 429, 503 | not accepted: tried again after `Retry-After` if there is time, else the batch retries |
| another 5xx | tried again if a repetition does no harm; else as without an answer |
| none in time | it may have been sent: the claims count the attempt |
| 400, 401, 403, 404, 410 | the secret is read again; if it has changed, tried once with it; else refused |
| another 4xx, a redirect | refused: not tried again |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

from msgspec import Struct

from flowwarden.errors import PublishFailed, PublishRefused, PublishUnanswered
from flowwarden.https.transport import Answer

SEND_SECONDS: Final = 6.0
"""The longest time that a notification takes, with all attempts: less than `claiming.PUBLISH_SECONDS`."""
ATTEMPT_SECONDS: Final = 4.0
"""The longest time of one attempt."""
LEAST_SECONDS: Final = 0.5
"""With less time left, no attempt begins."""
ATTEMPTS: Final = 3
"""Attempts with one secret."""
PAUSE_SECONDS: Final = 0.5
"""Pause before another attempt, unless the answer says how long to wait."""
NOT_ACCEPTED: Final = frozenset({408, 429, 503})
"""Statuses of requests that the service did not process."""
SECRET_REFUSED: Final = frozenset({400, 401, 403, 404, 410})
"""Statuses with which services refuse a key or an address that is not valid any more."""
_OK, _REDIRECT, _SERVER_ERROR = 200, 300, 500
_PART_OF_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{8}")
"""The parts of a secret: the eight characters that begin a key or a segment of a URL, and each eight after
them. So a key is found in a text that repeats it, also if the text was truncated within it."""

type Request = Callable[[str], tuple[str, bytes]]
"""Creates the URL and the document from the secret. Raises PublishRefused if the secret is not usable."""


class Secret(Protocol):
    """A secret that is kept in memory."""

    def text(self) -> str:
        """The secret. Raises PublishFailed."""

    def renewed(self) -> str | None:
        """The secret, read again; None if it is the same. Raises PublishFailed."""


class Transport(Protocol):
    """Makes one request; `transport.Https` implements it."""

    def post(self, url: str, body: bytes, seconds: float) -> Answer:
        """Send a document within some seconds. Raises PublishFailed."""


class Clock(Struct, frozen=True, kw_only=True):
    """The time, and how to wait."""

    monotonic: Callable[[], float]
    """Seconds."""
    wait: Callable[[float], None]
    unix: Callable[[], float]
    """Unix seconds."""


class Webhook:
    """One service."""

    def __init__(
        self, title: str, secret: Secret, transport: Transport, clock: Clock, *, repeatable: bool
    ) -> None:
        """Send to a service.

        Args:
            title: its name, for messages.
            secret: its secret.
            transport: makes requests.
            clock: the time.
            repeatable: whether it takes the same document twice without harm.
        """
        self._title = title
        self._secret = secret
        self._transport = transport
        self._clock = clock
        self._repeatable = repeatable

    def post(self, requests: Sequence[Request]) -> None:
        """Send documents in their order, all within `SEND_SECONDS`.

        Raises:
            PublishRefused: the service refused one, and will refuse it again.
            PublishUnanswered: it may have accepted one.
            PublishFailed: it did not accept one; those before it were accepted.
        """
        until = self._clock.monotonic() + SEND_SECONDS
        for request in requests:
            self._post(request, until)

    def _post(self, request: Request, until: float) -> None:
        secret = self._secret.text()
        answer = self._attempts(request, secret, until)
        if answer.status in SECRET_REFUSED and (renewed := self._secret.renewed()) is not None:
            secret, answer = renewed, self._attempts(request, renewed, until)
        if not _OK <= answer.status < _REDIRECT:
            raise self._failed(answer, secret)

    def _attempts(self, request: Request, secret: str, until: float) -> Answer:
        url, body = request(secret)
        for attempt in range(ATTEMPTS):
            seconds = min(ATTEMPT_SECONDS, until - self._clock.monotonic())
            if seconds < LEAST_SECONDS:
                raise PublishFailed(f"{self._title}: no time is left to send it")
            answer = self._transport.post(url, body, seconds)
            pause = self._pause(answer)
            left = until - self._clock.monotonic()
            if pause is None or attempt == ATTEMPTS - 1 or left < pause + LEAST_SECONDS:
                break
            self._clock.wait(pause)
        return answer

    def _pause(self, answer: Answer) -> float | None:
        """Seconds before another attempt; None if there shall be none."""
        if answer.status in NOT_ACCEPTED:
            return _retry_after(answer.headers)
        return PAUSE_SECONDS if self._repeatable and answer.status >= _SERVER_ERROR else None

    def _failed(self, answer: Answer, secret: str) -> PublishFailed:
        said = f": {answer.text}" if answer.text and not _shows(answer.text, secret) else ""
        message = f"{self._title} answered with status {answer.status}{said}"
        if answer.status in NOT_ACCEPTED or (self._repeatable and answer.status >= _SERVER_ERROR):
            return PublishFailed(message)
        if answer.status >= _SERVER_ERROR:
            return PublishUnanswered(message)
        return PublishRefused(message)


def _shows(text: str, secret: str) -> bool:
    """Whether a text contains a part of a secret."""
    return any(part in text for part in _PART_OF_SECRET.findall(secret))


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait: a number of seconds, or a date, which is compared with that of the answer."""
    text = headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return max(PAUSE_SECONDS, float(text[:9]))
    try:
        at, now = (parsedate_to_datetime(each) for each in (text, headers.get("date", "")))
    except (ValueError, TypeError, IndexError, OverflowError):
        return PAUSE_SECONDS
    return max(PAUSE_SECONDS, (at.replace(tzinfo=UTC) - now.replace(tzinfo=UTC)).total_seconds())
