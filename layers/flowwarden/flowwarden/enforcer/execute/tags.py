"""Puts the tags of our own flow logs right: those of many VPCs in one call."""

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

SUBJECT: Final = "tags of flow logs"
CALLS_AT_MOST: Final = 64
"""For flow logs that want the same tags: enough to single out some in hundreds, if not all are refused."""


class TagExecutor:
    """Sets the tags that plans ask for; it may be done twice."""

    def __init__(self, ec2: FlowLogService, pace: Pace) -> None:
        self._ec2 = ec2
        self._pace = pace

    def execute(self, planned: Sequence[Planned]) -> list[Remediation]:
        """Tag, as long as there is time: the next sweep finds what is left."""
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
        """Tag them in as few calls as may be.

        EC2 tags all or none. So if one is refused or gone, halves are tried, and only that one is reported.
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
                    # What is gone needs no tags. Beside others, the next sweep tags them.
                    refused.append((some, str(error)))
        return _remediations(", ".join(tags), tagged, refused)


def _remediations(
    keys: str, tagged: Sequence[str], refused: Sequence[tuple[list[str], str]]
) -> list[Remediation]:
    """What is reported: the refused first, in one if all were."""
    if refused and not tagged:
        refused = [([each for some, _ in refused for each in some], refused[0][1])]
    found = [
        Remediation(
            resource=SUBJECT, summary=f"{_named(some)}: {keys} could not be set: {why}", applied=False
        )
        for some, why in refused
    ]
    if tagged:
        found.append(Remediation(resource=SUBJECT, summary=f"{_named(tagged)}: {keys} set as policy wants"))
    return found


def _named(flow_log_ids: Sequence[str]) -> str:
    more = len(flow_log_ids) - 1
    return f"{flow_log_ids[0]} and {more} more of ours" if more else flow_log_ids[0]
