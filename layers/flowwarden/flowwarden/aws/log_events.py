"""Reads the log events of a log group with FilterLogEvents, for `flowwarden replay`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.aws.answers import Answer
from flowwarden.aws.caller import reason
from flowwarden.aws.pages import bounded
from flowwarden.errors import DamagedSource, SourceNotOpened
from flowwarden.replay.follow import LogEvent

if TYPE_CHECKING:
    # The environment need not contain the stubs.
    from mypy_boto3_logs import CloudWatchLogsClient

CALLER_ACTIONS = ("logs:FilterLogEvents",)
"""The IAM actions that the caller of the command needs."""
PAUSE: Final = 0.2
"""Seconds between two calls. An account has 25 calls a second in most Regions, and fewer in some; others need
them, too."""
ATTEMPTS: Final = 8
"""Total attempts of a call: throttled calls are repeated with backoff, for about a minute."""
READ_SECONDS: Final = 60.0
"""A call that finds few events in a large group takes long."""
_MOST_PAGES: Final = 1_000_000
"""Each has at most 10,000 events or 1 MB."""
_PAGE: Final = 10_000


class LogEvents:
    """The log events of groups in the client's account and Region."""

    def __init__(self, client: CloudWatchLogsClient, wait: Callable[[float], None]) -> None:
        """Take the client, and what sleeps for some seconds."""
        self._client = client
        self._wait = wait

    def messages(self, log_group: str, begin: int, end: int) -> Iterator[list[str]]:
        """The messages of `events`. Raises as it does."""
        for page in self.events(log_group, begin, end):
            yield [each.message for each in page]

    def events(self, log_group: str, begin: int, end: int) -> Iterator[list[LogEvent]]:
        """The events of a time, page by page, those of all log streams by time. Empty pages are skipped.

        Args:
            log_group: the name of the group.
            begin: Unix seconds.
            end: Unix seconds; not in the time.

        Raises:
            SourceNotOpened: CloudWatch Logs refused the first call.
            DamagedSource: it refused a later one; the events before it are complete.
        """
        read = 0
        try:
            for page in self._pages(log_group, begin, end):
                if read:
                    self._wait(PAUSE)
                read += 1
                if found := [_event(each) for each in Answer(page).each("events")]:
                    yield found
        except (ClientError, BotoCoreError) as error:
            why = f"log group {log_group}: FilterLogEvents: {reason(error)}"
            if not read:
                raise SourceNotOpened(why) from error
            raise DamagedSource(f"{why}; the {read:,} pages before it were read") from error

    def _pages(self, log_group: str, begin: int, end: int) -> Iterator[object]:
        pages = self._client.get_paginator("filter_log_events").paginate(
            logGroupName=log_group,
            startTime=begin * 1000,
            endTime=end * 1000 - 1,
            PaginationConfig={"PageSize": _PAGE},
        )
        yield from bounded(pages, _MOST_PAGES)


def _event(answer: Answer) -> LogEvent:
    at, message = answer.number("timestamp") or 0, answer.text("message")
    # An emulator of AWS may give none.
    return LogEvent(answer.text("eventId") or f"{answer.text('logStreamName')} {at} {message}", at, message)
