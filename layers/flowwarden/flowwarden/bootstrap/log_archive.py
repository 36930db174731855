"""A log group as an archive, for `flowwarden replay --log-group`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from flowwarden.aws.clients import make_client
from flowwarden.aws.ec2.interfaces import DescribedInterfaces
from flowwarden.aws.ec2.log_formats import DescribedFormats
from flowwarden.aws.identity import identity
from flowwarden.aws.log_events import ATTEMPTS, READ_SECONDS, LogEvents
from flowwarden.errors import InterfacesUnavailable, LogFormatsUnavailable
from flowwarden.records.format_choice import LearnedFormats, candidates
from flowwarden.records.log_format import LogFormat
from flowwarden.replay.follow import LogEvent
from flowwarden.replay.interface_file import InterfaceFile


class LogArchive(Struct, frozen=True, kw_only=True):
    """What AWS knows of a log group."""

    messages: Callable[[str, int, int], Iterator[Sequence[str]]]
    """The messages of a log group from one time to another (Unix seconds). Raises SourceError."""
    events: Callable[[str, int, int], Iterator[Sequence[LogEvent]]]
    """The same messages, with their ids and times."""
    layouts: tuple[LogFormat, ...]
    """The log formats of the flow logs that write to the group, or the fallback."""
    known: InterfaceFile
    """The account, the Region, and its interfaces."""
    notes: tuple[str, ...] = ()
    """What AWS did not say, for the user."""


def on_aws(
    log_group: str, region: str | None, fallback: Sequence[LogFormat], wait: Callable[[float], None]
) -> LogArchive:
    """The archive on AWS.

    Args:
        log_group: the name of the group.
        region: the Region; None for that of the environment or the profile.
        fallback: log formats of lines whose format EC2 does not report.
        wait: sleeps for some seconds.

    Raises:
        SettingsError: there is no Region, or the credentials are not valid.
    """
    caller = identity(region)
    notes: list[str] = []
    written: list[str | None] = []
    interfaces = InterfaceFile(account=caller.account_id, region=caller.region, interfaces=())
    try:
        written = DescribedFormats(lambda: make_client("ec2", caller.region)).written_into(log_group)
    except LogFormatsUnavailable as error:
        notes.append(f"the log formats are not known, so the default ones are used: {error}")
    try:
        every = DescribedInterfaces(lambda: make_client("ec2", caller.region)).every()
        interfaces = InterfaceFile(account=caller.account_id, region=caller.region, interfaces=tuple(every))
    except InterfacesUnavailable as error:
        notes.append(f"interfaces are learned from the lines: {error}")
    chosen = candidates(LearnedFormats.of(written, 0) if written else None, fallback)
    client = make_client("logs", caller.region, attempts=ATTEMPTS, read_timeout=READ_SECONDS)
    reader = LogEvents(client, wait)
    return LogArchive(
        messages=reader.messages,
        events=reader.events,
        layouts=chosen.layouts,
        known=interfaces,
        notes=(*notes, *chosen.notes),
    )
