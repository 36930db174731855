"""Sets missing and changed tags of managed flow logs, for many VPCs in one call."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from flowwarden.enforcer.decide.plan import Tag
from flowwarden.enforcer.execute.backoff import has_time, with_backoff
from flowwarden.enforcer.planner import Planned
from flowwarden.enforcer.ports import FlowLogService, Pace
from flowwarden.enforcer.reporting.report import Remediation
from flowwarden.errors import CallRefused, EnforcementError, NotThere

SUBJECT: Final = "flow log tags"
CALLS_AT_MOST: Final = 64
"""Calls for flow logs that need the same tags: enough to isolate a few refused ones among hundreds."""


class TagExecutor:
    """Sets the tags that plans request. Idempotent."""

    def __init__(self, ec2: FlowLogService, pace: Pace) -> None:
        self._ec2 = ec2
        self._pace = pace

    def execute(self, planned: Sequence[Planned]) -> list[Remediation]:
        """Set tags as long as there is time; the next sweep finds the rest."""
        alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for each in planned:
            for step in each.plan.steps:
                if isinstance(step, Tag):
                    alike.setdefault(tuple(sorted(step.tags.items())), []).append(step.flow_log_id)
        found: list[Remediation] = []
        for tags, flow_log_ids in alike.items():
            if has_time(self._pace):
                found += self._tag_all(dict(tags), flow_log_ids)
        return found

    def _tag_all(self, tags: dict[str, str], flow_log_ids: list[str]) -> list[Remediation]:
        """Tag the flow logs in as few calls as possible.

        EC2 tags all or none. If one is refused or gone, the list is halved until only that one is reported.
        """
        waiting, calls = [flow_log_ids], 0
        tagged: list[str] = []
        refused: list[tuple[list[str], str]] = []
        while waiting and (not calls or has_time(self._pace)):
            some, calls = waiting.pop(), calls + 1
            try:
                with_backoff(partial(self._ec2.tag, some, tags), self._pace)
                tagged += some
            except EnforcementError as error:
                if isinstance(error, CallRefused | NotThere) and len(some) > 1 and calls < CALLS_AT_MOST:
                    half = len(some) // 2
                    waiting += [some[half:], some[:half]]
                elif not isinstance(error, NotThere):
                    # A deleted flow log needs no tags. Others in the same call are tagged by the next sweep.
                    refused.append((some, str(error)))
        return _remediations(", ".join(tags), tagged, refused)


def _remediations(
    keys: str, tagged: Sequence[str], refused: Sequence[tuple[list[str], str]]
) -> list[Remediation]:
    """The report entries: refused flow logs first, in a single entry if all were refused."""
    if refused and not tagged:
        refused = [([each for some, _ in refused for each in some], refused[0][1])]
    found = [
        Remediation(resource=SUBJECT, summary=f"{_named(some)}: could not set {keys}: {why}", applied=False)
        for some, why in refused
    ]
    if tagged:
        summary = f"{_named(tagged)}: set {keys} as the policy requires"
        found.append(Remediation(resource=SUBJECT, summary=summary))
    return found


def _named(flow_log_ids: Sequence[str]) -> str:
    more = len(flow_log_ids) - 1
    return f"{flow_log_ids[0]} and {more} more managed flow logs" if more else flow_log_ids[0]
