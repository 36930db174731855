"""What a replay could not judge, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from flowwarden.monitor.baseline.baseline import LEARNING_DAYS
from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.view import BatchView
from flowwarden.replay.result import NotJudged, Records


class Unjudged:
    """Collects what the batches could not judge."""

    def __init__(self) -> None:
        self._skipped = 0
        self._unjudged = 0
        self._surplus = 0
        self._deferred = 0
        self._without_flags = 0
        self._described: set[str] = set()
        self._learning: dict[str, bool] = {}
        """By role: whether it was being learned in the last batch with one of its hosts."""

    def see(self, report: BatchReport, view: BatchView) -> None:
        """Add a batch."""
        self._skipped += report.skip_data
        self._unjudged += report.not_inspected
        self._surplus += report.findings_summed_up
        self._deferred += report.deferred
        if not view.records.flows.has("tcp_flags"):
            self._without_flags += len(view.records.flows)
        self._described.update(view.described)
        for profile in view.profiles.values():
            if profile.interface is not None:
                self._learning[profile.role] = profile.learning

    def rows(self, records: Records, learned: int, names: Collection[str]) -> list[NotJudged]:
        """What was not judged; nothing for a count of zero."""
        return [each for each in self._all(records, learned, names) if each.count]

    def _all(self, records: Records, learned: int, names: Collection[str]) -> Iterator[NotJudged]:
        yield NotJudged(
            what="malformed lines", count=records.malformed,
            why="they are neither flows nor gaps; flowwarden read --malformed prints them with the reasons",
        )  # fmt: skip
        yield NotJudged(
            what="windows without records", count=self._skipped,
            why="AWS skipped their records (SKIPDATA)",
        )  # fmt: skip
        yield NotJudged(
            what="records without interface and action", count=self._unjudged,
            why="no detector can judge them, such as those of transit gateways",
        )  # fmt: skip
        yield NotJudged(
            what="records without tcp-flags", count=self._without_flags,
            why="the initiator is less certain without the field, so scans and refusals are found less often",
        )  # fmt: skip
        yield NotJudged(
            what="interfaces without a description", count=len({*names} - self._described),
            why="they are not in the file of --interfaces, and the lines do not show their address; "
            "their hosts have no role",
        )  # fmt: skip
        yield NotJudged(
            what="interfaces learned from the lines", count=learned,
            why="their tags and security groups are unknown, so their roles are their subnets, and "
            "interface-silent does not report them; `flowwarden interfaces export` describes them",
        )  # fmt: skip
        yield NotJudged(
            what="roles that were still being learned at the end", count=sum(self._learning.values()),
            why=f"new behavior of a role is reported after {LEARNING_DAYS} days; an archive of the weeks "
            "before teaches it",
        )  # fmt: skip
        yield NotJudged(
            what="findings that were only counted", count=self._surplus,
            why="a batch had more findings of a detector than it shows singly",
        )  # fmt: skip
        yield NotJudged(
            what="deferred hosts, roles and writes", count=self._deferred,
            why="a batch had more than its limits allow; a later batch handles what goes on",
        )  # fmt: skip
