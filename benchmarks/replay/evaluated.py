"""Finds incidents in the same records twice: as the evaluation does, and by replaying them as an archive."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO, StringIO
from pathlib import Path

from msgspec import Struct

from benchmarks.evaluation.generator.generator import Generator
from benchmarks.evaluation.generator.model import (
    ACCOUNT,
    LOG_GROUP,
    Delivery,
    Incident,
    Interface,
    Network,
)
from benchmarks.evaluation.monitor import Monitor, page, policy, unpaged
from benchmarks.evaluation.refusals import refused
from benchmarks.evaluation.run import counts
from benchmarks.evaluation.subject import Page, Surroundings
from benchmarks.evaluation.tally import Tally
from benchmarks.replay.archive import ArchiveWriter, interface_file
from flowwarden.dispatcher import daily_digest, hourly_digest
from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.view import BatchView
from flowwarden.notify.alert import Route
from flowwarden.notify.incident import Event
from flowwarden.notify.notification import Notification
from flowwarden.policy.policy import Policy
from flowwarden.replay.replay import Hooks
from flowwarden_cli.commands.archive import Archive
from flowwarden_cli.commands.replay_given import Given, bucket_of
from flowwarden_cli.commands.replay_runs import new_replay, process
from flowwarden_cli.terminal.console import Console


class Both(Struct, frozen=True):
    """What was found in the records of a network."""

    records: int
    labels: list[Incident]
    """The incidents of the network that ended before the end of the archive."""
    evaluation: Tally
    replay: Tally
    removed: frozenset[str]
    """Addresses and ids of the interfaces that no longer exist at the end."""


def found_by_both(
    network: Network, folder: Path, end: int, tell: Callable[[str], None], *, as_delivered: bool = False
) -> Both:
    """Generate a network, and find its incidents twice.

    Args:
        network: the network.
        folder: where the archive is written; must not exist.
        end: Unix seconds; what is delivered later is left out.
        tell: called with a line before each step.
        as_delivered: whether the replay has batches as small as in production.
    """
    generator, archive = Generator(network), ArchiveWriter(folder, network.layout)
    own = policy(generator.interfaces().values())
    monitor = Monitor(Surroundings(network.layout, network.judged_from, generator.interfaces))
    # Scaling replaces interfaces, so an export at the end would lack most of those that the archive is about.
    known, pages = generator.interfaces(), list[Page]()
    while not generator.over:
        tell(f"day {generator.day + 1} of {network.days}")
        for delivery in generator.next_day():
            if delivery.arrived < end:
                if archive.add(delivery):
                    known |= generator.interfaces()
                pages += monitor.process(delivery)
    archive.close()
    known |= (current := generator.interfaces())
    tell(f"replaying {archive.count:,} records")
    again = _replayed(folder, network, own, known.values(), as_delivered=as_delivered)
    gone = (each for name, each in known.items() if name not in current)
    return Both(
        records=archive.count,
        labels=[each for each in generator.labels if each.end < end],
        evaluation=tally(pages, network, known),
        replay=tally(again, network, known),
        removed=frozenset(name for each in gone for name in (each.interface_id, each.private_ipv4)),
    )


def _replayed(
    folder: Path, network: Network, own: Policy, interfaces: Iterable[Interface], *, as_delivered: bool
) -> list[Page]:
    """The pages of a replay, and its findings without a page, by the code of the command."""
    found: list[Page] = []

    def observe(report: BatchReport, view: BatchView) -> None:
        found.extend(unpaged(report, _at(view.now)))

    def sent(_route: Route, notification: Notification, at: int) -> None:
        # The evaluation sends no digests.
        if notification.document.get("event") != Event.RESOLVED and not _is_digest(notification):
            found.append(page(notification, _at(at)))

    given = Given(
        log_group=LOG_GROUP,
        layouts=(network.layout,),
        policies={"": own},
        known=interface_file(interfaces),
    )
    console = Console(BytesIO(), BytesIO(), StringIO(), shows_progress=False, clock=time.monotonic)
    archive = Archive([str(folder)], given.layouts, console, bucket_of(None))
    replay = new_replay(own, given, as_delivered=as_delivered, hooks=Hooks(batch=observe, sent=sent))
    process(archive, [replay], as_delivered=as_delivered)
    return found


def _is_digest(notification: Notification) -> bool:
    return notification.document.get("kind") in {hourly_digest.KIND, daily_digest.KIND}


def _at(moment: int) -> Delivery:
    """What `page` reads of a delivery: when it arrived."""
    return Delivery(0, moment, LOG_GROUP, "", ACCOUNT, (), "")


def tally(pages: Iterable[Page], network: Network, interfaces: Mapping[str, Interface]) -> Tally:
    """The pages as the evaluation counts them."""
    counted = Tally(refused=Counter())
    for each in pages:
        if each.event == Event.RESOLVED:
            continue
        apart = refused(each, interfaces) if each.paged else None
        if apart is not None:
            counted.refused[apart] += 1
        if each.arrived < network.judged_from:
            counted.while_learning.extend([each] if each.paged else [])
        elif apart is None and counts(each, network):
            counted.pages.append(each)
    return counted
