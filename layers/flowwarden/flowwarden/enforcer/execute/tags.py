"""Sets missing and changed tags of managed flow logs, for many VPCs in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from flowwarden.enforcer.decide.plan import Tag
from flowwarden.enforcer.execute.backoff import has_time, with_backoff
from flowwarden.enforcer.execute.isolate import isolate
from flowwarden.enforcer.planner import Planned
from flowwarden.enforcer.ports import FlowLogService, RunClock
from flowwarden.enforcer.reporting.report import Remediation
from flowwarden.errors import NotFound

SUBJECT: Final = "flow log tags"
NAMED_AT_MOST: Final = 10
"""Flow logs named for each reason of a failure; the rest is counted."""


class TagExecutor:
    """Sets the tags that plans request. Idempotent."""

    def __init__(self, ec2: FlowLogService, clock: RunClock) -> None:
        self._ec2 = ec2
        self._clock = clock

    def execute(self, planned: Sequence[Planned]) -> list[Remediation]:
        """Set tags as long as there is time; the next sweep finds the rest."""
        alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for each in planned:
            for step in each.plan.steps:
                if isinstance(step, Tag):
                    alike.setdefault(tuple(sorted(step.tags.items())), []).append(step.flow_log_id)
        found: list[Remediation] = []
        for tags, flow_log_ids in alike.items():
            if has_time(self._clock):
                found += self._tag_all(dict(tags), flow_log_ids)
        return found

    def _tag_all(self, tags: dict[str, str], flow_log_ids: list[str]) -> list[Remediation]:
        """Tag the flow logs in as few calls as possible.

        EC2 tags all or none. If one is refused or gone, the list is halved until only that one is reported.
        """

        def tag(some: Sequence[str]) -> None:
            # Throttling of all is waited for; then single resources are isolated without further waiting.
            call = partial(self._ec2.tag, some, tags)
            return with_backoff(call, self._clock) if len(some) == len(flow_log_ids) else call()

        result = isolate(tag, flow_log_ids, self._clock)
        # A deleted flow log needs no tags.
        refused = {name: str(why) for name, why in result.failed.items() if not isinstance(why, NotFound)}
        return _remediations(", ".join(tags), result.done, refused)


def _remediations(keys: str, tagged: Sequence[str], refused: Mapping[str, str]) -> list[Remediation]:
    """The report entries: refused flow logs first, those with the same reason in a single entry."""
    alike: dict[str, list[str]] = {}
    for name, why in refused.items():
        alike.setdefault(why, []).append(name)
    found = [
        Remediation(
            resource=SUBJECT,
            summary=f"{_named(some, NAMED_AT_MOST)}: could not set {keys}: {why}",
            applied=False,
        )
        for why, some in alike.items()
    ]
    if tagged:
        summary = f"{_named(tagged)}: set {keys} as the policy requires"
        found.append(Remediation(resource=SUBJECT, summary=summary))
    return found


def _named(flow_log_ids: Sequence[str], at_most: int = 1) -> str:
    named, more = ", ".join(flow_log_ids[:at_most]), len(flow_log_ids) - at_most
    return f"{named} and {more} more managed flow logs" if more > 0 else named
