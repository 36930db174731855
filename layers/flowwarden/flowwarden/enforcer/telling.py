"""Tells operations what a run found, and what stays the same for hours only once in a suppression window.

The state table has a turn for each subject: whoever takes it tells, and nobody else does within the window.
Subjects are a log group that is silent, flow logs that are never proven, listings that are refused, what may
be wrong about the delivery role or wanted so, and duplicates, where others than those that were told are a
subject of their own. A turn is given back if telling failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from flowwarden.enforcer.decide import silent_log_groups, unverified_flow_logs
from flowwarden.enforcer.decide.duplicates import Duplicate, duplicates_of, turn_of
from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.planning import Planned
from flowwarden.enforcer.ports import EnforcerMemory
from flowwarden.enforcer.reporting.notification import render
from flowwarden.enforcer.reporting.report import EnforcementReport, Remediation, VpcOutcome
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.tampering import ROLE_CALLS
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.errors import EnforcementIncomplete, PublishFailed, StateUnavailable
from flowwarden.notify.ports import Sink
from flowwarden.state.schema import SILENCE_TURNS, UNLISTED_TURN, UNPROVEN_TURN

SUPPRESSION_SECONDS: Final = 4 * 3600
"""The suppression window, if nobody says otherwise."""
UNLISTED: Final = UNLISTED_TURN.key_of()
"""The turn to tell that EC2 does not list what there is."""
UNPROVEN: Final = UNPROVEN_TURN.key_of()
"""The turn to tell of flow logs of which nobody can say for long whether they deliver."""


class OperationsNotifier:
    """Takes turns to tell, and tells."""

    def __init__(
        self,
        reports: Sink,
        memory: EnforcerMemory,
        stack: Stack,
        *,
        window: int = SUPPRESSION_SECONDS,
        dry_run: bool = False,
    ) -> None:
        self._reports = reports
        self._memory = memory
        self._stack = stack
        self._window = window
        self._dry_run = dry_run

    def unlisted(self, outcomes: Sequence[VpcOutcome], trigger: Trigger, now: int) -> Sequence[VpcOutcome]:
        """What EC2 does not list: a look, one of many, tells it only if nobody told it lately."""
        is_look = not RUN_MODES[trigger.kind].reports_lasting
        if is_look and all(each.retryable for each in outcomes):
            return outcomes  # no look tells what may pass, so it takes no turn
        first = self._is_first(UNLISTED, now)
        turn, repeated = UNLISTED if first else "", is_look and not first
        return [replace(each, turn=turn, repeated=repeated) for each in outcomes]

    def silences(self, planned: Sequence[Planned], trigger: Trigger, now: int) -> Iterator[Remediation]:
        """What a sweep sees nothing of: log groups, then flow logs. A new monitor has seen nothing yet."""
        if not RUN_MODES[trigger.kind].checks_silence or trigger.deployed:
            return
        silent = list(silent_log_groups.silent_groups(one.vpc_state for one in planned))
        for each in silent:
            turn, what = SILENCE_TURNS.key_of(each.group), silent_log_groups.told(each, self._stack)
            repeated = not self._is_first(turn, now)
            yield Remediation(subject=each.group, what=what, done=False, turn=turn, repeated=repeated)
        said = {each.flow_log_id for group in silent for each in group.flow_logs}
        judged = ((each.vpc_state, each.plan.verdict) for each in planned)
        if found := [
            each for each in unverified_flow_logs.long_unproven(judged) if each.flow_log_id not in said
        ]:
            subject, what = unverified_flow_logs.subject_of(found), unverified_flow_logs.told(found)
            repeated = not self._is_first(UNPROVEN, now)
            yield Remediation(subject=subject, what=what, done=False, turn=UNPROVEN, repeated=repeated)

    def doubts(self, repairs: Sequence[Remediation], trigger: Trigger, now: int) -> Iterator[Remediation]:
        """Those that want a turn told once, those without always; a call about the role tells all of them."""
        touched = trigger.origin is not None and trigger.origin.event_name in ROLE_CALLS
        for each in repairs:
            first = not each.turn or self._is_first(each.turn, now)
            yield each if first else replace(each, turn="", repeated=not touched)

    def duplicates(self, planned: Sequence[Planned], trigger: Trigger, now: int) -> tuple[Duplicate, ...]:
        """The duplicates that a sweep found, if nobody told of just these lately.

        Without the state table they are not told: they cost money, not sight, and each sweep would tell them.
        """
        if not RUN_MODES[trigger.kind].checks_silence:
            return ()
        found = duplicates_of((each.vpc_state, each.plan.verdict) for each in planned)
        return found if found and self._is_first(turn_of(found), now, unknown=False) else ()

    def tell(self, report: EnforcementReport) -> None:
        """Tell operations if there is news, then say whether the event must be retried.

        Raises:
            PublishFailed: operations could not be told; the retry takes its turns anew.
            EnforcementIncomplete: a retry may do what could not be put off.
        """
        if report.is_news and not self._dry_run:
            self._send(report)
        if report.forgotten and (left := [each.vpc_id or "the list of VPCs" for each in report.unfinished]):
            raise EnforcementIncomplete(f"not covered yet, a retry may do it: {', '.join(left)}")
        if report.forgotten and report.goes_on:
            # Nobody remembers where it stopped. A retry finds done what was done, and comes further.
            raise EnforcementIncomplete("time ran out before all VPCs were looked at: a retry goes on")

    def _is_first(self, subject: str, now: int, *, unknown: bool = True) -> bool:
        """Whether nobody told of a subject within the window; from now on somebody did.

        A run that only plans sends nothing, so it takes no turn.

        Args:
            subject: whose turn it is.
            now: Unix seconds.
            unknown: the answer without the state table; telling once more is better than not at all.
        """
        if self._dry_run:
            return True
        try:
            return self._memory.take_turn(subject, now, self._window)
        except StateUnavailable:
            return unknown

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
