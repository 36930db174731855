"""`flowwarden replay --live`: replays a log group and what arrives in it, and prints what is found."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Final

from flowwarden.dispatcher import daily_digest, hourly_digest
from flowwarden.notify.alert import Route
from flowwarden.notify.notification import Notification
from flowwarden.notify.text import moment
from flowwarden.replay.follow import Events, Follower, Live
from flowwarden.replay.merged import Piece
from flowwarden.replay.replay import Hooks
from flowwarden.replay.result import ReplayResult
from flowwarden.replay.timed import Layouts
from flowwarden_cli.commands.archive import Archive
from flowwarden_cli.commands.command import UsageError
from flowwarden_cli.commands.replay_given import Given
from flowwarden_cli.commands.replay_runs import new_replay, process
from flowwarden_cli.terminal.console import Console
from flowwarden_cli.terminal.ending import Ending

_DIGESTS: Final = frozenset({hourly_digest.KIND, daily_digest.KIND})


def followed(
    archive: Archive, given: Given, options: Namespace, console: Console, ending: Ending
) -> ReplayResult:
    """The result of the log group and of what arrives in it, until the user ends it."""
    if given.events is None:
        raise UsageError("--live needs --log-group")
    (policy,) = given.policies.values()
    shows = Following(archive, console, as_document=options.format == "json")
    replay = new_replay(policy, given, as_delivered=options.as_delivered, hooks=Hooks(sent=shows.sent))
    with ending:
        pieces = shows.pieces(given.events, given.first, given.layouts, ending)
        process(archive, [replay], as_delivered=options.as_delivered, pieces=pieces)
    return replay.result(archive.count, archive.failed, archive.unreadable)


class Following:
    """Prints each notification about an incident when it would be sent."""

    def __init__(self, archive: Archive, console: Console, *, as_document: bool) -> None:
        """Take the archive, which counts failures; `as_document` leaves standard output to the document."""
        self._archive = archive
        self._console = console
        self._as_document = as_document

    def pieces(self, events: Events, first: int, layouts: Layouts, ending: Ending) -> Iterator[Piece]:
        """The lines from a time on (Unix seconds), until the user ends it."""
        live = Live(
            read=events,
            clock=self._console.now,
            wait=ending.wait,
            is_ended=lambda: ending.is_ended,
            failed=lambda error, again: self._archive.note(error, is_over=not again),
        )
        for piece in Follower(live, first).pieces(layouts):
            self._archive.progress.add_records(len(piece.timed.lines))
            self._archive.progress.reach(0)
            yield piece

    def sent(self, route: Route, notification: Notification, at: int) -> None:
        """Print a notification, except a digest."""
        document = notification.document
        if document["kind"] in _DIGESTS:
            return
        self._archive.progress.wipe()
        what = document.get("event") or document["kind"]
        line = f"{moment(at)}  {what}, to {route}: {document.get('summary') or notification.subject}"
        if self._as_document:
            self._console.report(line)
        else:
            self._console.print(line)
            self._console.stdout.flush()
