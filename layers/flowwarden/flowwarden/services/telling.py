"""Tells operations what a run found, and what stays the same for hours only once in a suppression window."""

from __future__ import annotations

from typing import Final

from flowwarden.alerting.enforcement_report import render
from flowwarden.compliance.report import EnforcementReport
from flowwarden.errors import EnforcementIncomplete, PublishFailed, StateUnavailable
from flowwarden.ports import EnforcerMemory, Sink

SUPPRESSION_SECONDS: Final = 4 * 3600
"""The suppression window, if nobody says otherwise."""


class Telling:
    """Takes turns to tell, and tells."""

    def __init__(
        self,
        reports: Sink,
        memory: EnforcerMemory,
        *,
        window: int = SUPPRESSION_SECONDS,
        dry_run: bool = False,
    ) -> None:
        self._reports = reports
        self._memory = memory
        self._window = window
        self._dry_run = dry_run

    def is_first(self, subject: str, now: int) -> bool:
        """Whether nobody told of a subject within the window; from now on somebody did.

        A run that only plans sends nothing, so it takes no turn. Without the state table, telling once more
        is better than not at all.
        """
        if self._dry_run:
            return True
        try:
            return self._memory.take_turn(subject, now, self._window)
        except StateUnavailable:
            return True

    def tell(self, report: EnforcementReport) -> None:
        """Tell operations if there is news, then say whether the event must be retried.

        Raises:
            PublishFailed: operations could not be told; the retry takes its turns anew.
            EnforcementIncomplete: a retry may do what could not be put off.
        """
        if report.is_news and not self._dry_run:
            self._send(report)
        if report.unfinished and report.forgotten:
            named = ", ".join(each.vpc_id or "the list of VPCs" for each in report.unfinished)
            raise EnforcementIncomplete(f"not covered yet, a retry may do it: {named}")

    def _send(self, report: EnforcementReport) -> None:
        try:
            self._reports.send(render(report.news))
        except PublishFailed:
            for each in report.turns:
                self._give_back(each)
            raise

    def _give_back(self, subject: str) -> None:
        try:
            self._memory.give_back(subject)
        except StateUnavailable:
            # Operations is told when the window is over.
            return
