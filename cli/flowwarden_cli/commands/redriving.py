"""`flowwarden redrive`: processes the failure queues of a deployed stack."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from flowwarden.bootstrap.redrive import RedrivePorts, on_aws
from flowwarden.errors import FlowWardenError
from flowwarden.notify.text import plural
from flowwarden.printable import one_line
from flowwarden.redrive.ports import HIDDEN_SECONDS
from flowwarden.redrive.redrive import Outcome, Redrive, Source, State
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE
from flowwarden_cli.commands.stack import region_of
from flowwarden_cli.terminal.console import Console
from flowwarden_cli.terminal.status import Status

LONGEST_REASON: Final = 400
"""Characters of an error in the text. JSON contains all of it."""
_LATER: Final = f"within {-(-HIDDEN_SECONDS // 60)} minutes"


def run(
    options: Namespace, console: Console, wired: Callable[[str, str | None], RedrivePorts] | None = None
) -> int:
    """Process the queues; return the exit code.

    Args:
        options: `stack`, `region`, `queue`, `limit`, `dry_run` and `json`.
        console: where to print.
        wired: creates the ports of a stack in a Region; by default on AWS.

    Raises:
        KeyboardInterrupt: the command was interrupted; the summary is printed.
    """
    try:
        region = region_of(options.region)
        ports = wired(options.stack, region) if wired else on_aws(options.stack, region, time.sleep)
    except FlowWardenError as error:
        console.report(f"error: {error}")
        return UNREADABLE
    printer = _Printer(options, console)
    printer.begin(ports.region)
    try:
        for source in ports.sources:
            if options.queue in (None, source.name):
                _process(source, printer)
    except KeyboardInterrupt:
        printer.end()
        console.report(f"a message that was just being processed becomes visible again {_LATER}")
        raise
    printer.end()
    return printer.code


def _process(source: Source, printer: _Printer) -> None:
    """Process the messages of a queue until none is left, up to the limit."""
    redrive = Redrive(source, dry_run=printer.dry_run)
    try:
        while True:
            if printer.is_full:
                printer.leave(more=redrive.has_more())
                return
            outcome = redrive.next()
            if outcome is None:
                return
            printer.show(source.name, outcome)
            if outcome.is_last:
                return
    except FlowWardenError as error:
        printer.fail(source.name, str(error))
    finally:
        if reason := redrive.release():
            printer.warn(f"{source.name}: what stays becomes visible again {_LATER}, not at once: {reason}")


class _Printer:
    """Prints outcomes as they come, counts them, and determines the exit code."""

    def __init__(self, options: Namespace, console: Console) -> None:
        self.dry_run: bool = options.dry_run
        self._options = options
        self._console = console
        self._status = Status(console)
        self._counts = dict.fromkeys(State, 0)
        self._failed = False
        self._more = False

    @property
    def is_full(self) -> bool:
        """Whether as many messages are processed as the limit allows."""
        limit = self._options.limit
        return limit is not None and sum(self._counts.values()) >= limit

    @property
    def code(self) -> int:
        """The exit code."""
        left = self._counts[State.STAYS] or (self._more and not self.dry_run)
        return UNREADABLE if self._failed or left else SUCCEEDED

    def begin(self, region: str) -> None:
        """Print the heading of the text."""
        if not self._options.json:
            dry = ", dry run: nothing is sent or deleted" if self.dry_run else ""
            self._line(f"Redrive of stack {one_line(self._options.stack)}, region {one_line(region)}{dry}\n")

    def show(self, queue: str, outcome: Outcome) -> None:
        """Print what became of a message, at once: the next one may take minutes."""
        self._counts[outcome.state] += 1
        if self._options.json:
            self._status.wipe()
            self._console.print_document(_document(queue, outcome), indent=None)
            self._console.stdout.flush()
        else:
            self._line(_text(queue, outcome))
        self._status.draw(self._summary())

    def leave(self, *, more: bool) -> None:
        """Note whether a queue contains more messages than the limit allows."""
        self._more = self._more or more

    def fail(self, queue: str, reason: str) -> None:
        """Print why a queue cannot be processed."""
        self._failed = True
        self.warn(f"error: {queue}: {reason}")

    def warn(self, text: str) -> None:
        """Print a message for the user on standard error."""
        self._status.wipe()
        self._console.report(text)

    def end(self) -> None:
        """Print the summary."""
        if self._options.json:
            self.warn(self._summary())
            return
        self._status.wipe()
        self._line(f"\n{self._summary()}" if any(self._counts.values()) else self._summary())

    def _line(self, text: str) -> None:
        self._status.wipe()
        self._console.print(text)
        self._console.stdout.flush()

    def _summary(self) -> str:
        if not any(self._counts.values()) and not self._failed:
            return "There is no message to process."
        done, waiting, stay = (self._counts[each] for each in State)
        first = (
            f"{plural(waiting, 'message')} can be sent"
            if self.dry_run
            else f"{plural(done, 'message')} processed"
        )
        more = "; there are more messages than --limit allows" if self._more else ""
        return f"{first}, {stay} {'stays' if stay == 1 else 'stay'}{more}"


def _text(queue: str, outcome: Outcome) -> str:
    sent = "" if outcome.message.sent_at is None else f" of {_moment(outcome.message.sent_at)}"
    match outcome.state:
        case State.PROCESSED:
            became = "processed"
        case State.WAITING:
            error = outcome.failure.error or "an unknown error"
            became = f"can be sent; it failed with {one_line(error, LONGEST_REASON)}"
        case State.STAYS:
            became = f"stays: {one_line(outcome.reason, LONGEST_REASON)}"
    return f"{queue} {one_line(outcome.message.message_id)}{sent}: {became}"


def _document(queue: str, outcome: Outcome) -> dict[str, object]:
    sent_at = outcome.message.sent_at
    return {
        "queue": queue,
        "message_id": outcome.message.message_id,
        "sent_at": None if sent_at is None else _moment(sent_at),
        "request_id": outcome.failure.request_id,
        "error": outcome.failure.error,
        "state": outcome.state,
        "reason": outcome.reason,
    }


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
