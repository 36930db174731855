"""Mutes made by command: their end, their checks, and how they are printed."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import to_builtins

from flowwarden.dispatcher.desk import mutes_of
from flowwarden.errors import FlowWardenError, PolicyError
from flowwarden.notify.incident import Incident
from flowwarden.notify.text import moment
from flowwarden.policy.made_mutes import LONGEST_DAYS, MOST_MADE, MadeMute, MuteEditor, check_made, id_of
from flowwarden.policy.mutes import NEVER, Mute, moment_of
from flowwarden.printable import LONGEST_LINE, as_json, one_line
from flowwarden.state.sets import DAY, HOUR
from flowwarden_cli.commands.command import UsageError

_UNITS: Final = {"m": 60, "h": HOUR, "d": DAY, "w": 7 * DAY}
_LASTS: Final = re.compile(r"([0-9]{1,6})([mhdw])")


class NotMuted(FlowWardenError):
    """The mute cannot be stored."""


def end_of(lasts: str | None, until: str | None, now: int) -> str:
    """The member `until` of a mute, from one of the two options.

    Raises:
        UsageError: the option is not valid, or the end is past or too far ahead.
    """
    end = _end_at(until or "", now) if lasts is None else now + seconds_of(lasts, "--for")
    if end > now + LONGEST_DAYS * DAY:
        raise UsageError(f"a mute made by command ends within {LONGEST_DAYS} days; use the policy instead")
    if end <= now:
        raise UsageError("the end of the mute is past")
    return until or datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text: str, option: str) -> int:
    """The seconds of a time such as `12h`. Raises UsageError, which names the option."""
    found = _LASTS.fullmatch(text)
    if not found or int(found[1]) == 0:
        raise UsageError(f"{option} {text!r}: write a time such as 90m, 12h, 7d or 2w")
    return int(found[1]) * _UNITS[found[2]]


def _end_at(text: str, now: int) -> int:
    """The end that a text states, in Unix seconds; too far ahead for `never`."""
    if text == NEVER:
        return now + (LONGEST_DAYS + 1) * DAY
    try:
        return int(moment_of(text).timestamp())
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--until {text!r}: write a day (2027-03-31) or a time with its zone") from error


def made_of(incident: Incident, key: str, until: str, options: Namespace, now: int) -> list[MadeMute]:
    """The mutes of an incident. Raises NotMuted if one is not valid: what is stored may be damaged."""
    made = {}
    for matchers in mutes_of(incident):
        try:
            mute = msgspec.convert({**matchers, "until": until, "reason": options.reason}, Mute)
            check_made(mute, now)
        except (msgspec.ValidationError, PolicyError) as error:
            raise NotMuted(f"incident {key}: its mute is not valid: {error}") from error
        made[id_of(mute)] = MadeMute(id=id_of(mute), mute=mute, made_at=now, made_by=options.by, incident=key)
    return [*made.values()]


def store(mutes: MuteEditor, made: Sequence[MadeMute], now: int) -> None:
    """Store mutes. Raises NotMuted if there would be too many, and StateUnavailable."""
    stored = {each.id for each in mutes.load(now)}
    if len(stored | {each.id for each in made}) > MOST_MADE:
        raise NotMuted(
            f"there are {len(stored)} mutes of at most {MOST_MADE}: remove some, or use the policy"
        )
    for each in made:
        mutes.put(each)


def lines(made: MadeMute) -> Iterator[str]:
    """A mute in words and as JSON."""
    by = f" by {one_line(made.made_by)}" if made.made_by else ""
    at = f", made{by} at {moment(made.made_at)}" if made.made_at is not None else ""
    incident = f", for incident {one_line(made.incident)}" if made.incident else ""
    end = made.mute.end
    yield f"{made.id} until {one_line(made.mute.until) if end is None else moment(end)}{at}{incident}"
    yield f"  {as_json(to_builtins(made.mute))[:LONGEST_LINE]}"


def document(made: MadeMute) -> dict[str, Any]:
    """A mute for machines."""
    found: dict[str, Any] = to_builtins(made)
    return {**found, "ends_at": made.mute.end}
