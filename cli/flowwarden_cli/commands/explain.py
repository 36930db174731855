"""`flowwarden explain`: its arguments. The logic is in `explaining`, which needs numpy."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from typing import Final

from msgspec import Struct

from flowwarden_cli.commands.archive_options import add_archive_options
from flowwarden_cli.commands.command import Command, UsageError
from flowwarden_cli.terminal.console import Console

_STDIN: Final = "-"
_PLACE: Final = re.compile(r"(.+):([0-9]+)", re.DOTALL)
_KEY: Final = re.compile(r"[0-9a-f]{1,32}")
_DESCRIPTION: Final = """\
Explains why a record of a flow log was flagged, or why it was not: the flow,
its side, its initiator with the rules that decide it, the roles of both ends,
the baseline, what each detector measured against its limit, and what kept a
finding from notifying: a mute, a graver finding, the budget for pages,
learning. Or explains an incident: what each of its detectors found first.

Replays the archive of the PATHs up to its end, as `flowwarden replay` does,
and prints what its detectors decided. Calls no AWS API.

WHAT is one of
  FILE:LINE  a record, by its line in a file; the file belongs to the archive
  RECORD     a record as text (quote it), or - to read it from standard input;
             without a PATH, it is explained alone
  INCIDENT   the key that `flowwarden replay` prints, or its begin; needs a PATH
"""
_EXAMPLES: Final = """\
examples:
  flowwarden explain flows.log:512
  flowwarden explain flows.log.gz:512 AWSLogs/ --interfaces interfaces.json
  flowwarden explain 8cf70a AWSLogs/ --policy policy.json
  tail -1 flows.log | flowwarden explain - AWSLogs/
  flowwarden explain flows.log:512 --format json | jq .record.verdict

exit codes: 0 success; 1 there is no such record or incident, or at least one
source could not be read to its end; 2 wrong usage; 130 interrupted
"""


class Place(Struct, frozen=True):
    """A line in a file."""

    file: str
    number: int


class Text(Struct, frozen=True):
    """A record as text; None for standard input."""

    text: str | None


class Key(Struct, frozen=True):
    """The begin of an incident's key."""

    prefix: str


type What = Place | Text | Key


def _add_arguments(command: ArgumentParser) -> None:
    command.add_argument("what", metavar="WHAT", help="FILE:LINE, RECORD or INCIDENT, as described above")
    command.add_argument(
        "paths", nargs="*", metavar="PATH", help="file, folder, or - for standard input: the archive"
    )
    add_archive_options(command, "use this policy (default: the default policy)")


def what_of(options: Namespace) -> What:
    """What to explain. Raises UsageError if it is none of the three, or the options do not fit."""
    what = _read(options.what)
    if len(options.policy) > 1:
        raise UsageError("give --policy once")
    if isinstance(what, Key) and not options.paths:
        raise UsageError("an incident needs at least one PATH: the archive that `flowwarden replay` read")
    if options.what == _STDIN and _STDIN in options.paths:
        raise UsageError("standard input is either the record or a part of the archive")
    return what


def _read(text: str) -> What:
    if text == _STDIN:
        return Text(None)
    if text.lstrip().startswith("{") or len(text.split()) > 1:
        return Text(text)
    if place := _PLACE.fullmatch(text):
        if int(place[2]) < 1:
            raise UsageError(f"{text}: lines are numbered from 1")
        return Place(place[1], int(place[2]))
    if _KEY.fullmatch(text):
        return Key(text)
    raise UsageError(
        f"{text!r} is neither FILE:LINE, nor a record (quote it), nor an incident's key, which has up to "
        "32 hexadecimal digits"
    )


def run(options: Namespace, console: Console) -> int:
    """Explain it; return the exit code."""
    what = what_of(options)
    from flowwarden_cli.commands import explaining  # noqa: PLC0415  numpy, which takes a while to load

    return explaining.run(what, options, console)


COMMAND: Final = Command(
    name="explain",
    help="explain why a record or an incident was flagged, or not",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=run,
)
