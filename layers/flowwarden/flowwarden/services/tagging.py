"""Puts the tags of our own flow logs right: those of many VPCs in one call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from flowwarden.compliance.plan import Tag
from flowwarden.compliance.report import Repair
from flowwarden.errors import EnforcementError, NotThere
from flowwarden.ports import FlowLogService, Pace
from flowwarden.services.patience import has_time, patiently
from flowwarden.services.planning import Planned

SUBJECT: Final = "tags of flow logs"


class Tagging:
    """Carries out what plans say of tags; it may be done twice."""

    def __init__(self, ec2: FlowLogService, pace: Pace) -> None:
        self._ec2 = ec2
        self._pace = pace

    def carry_out(self, planned: Sequence[Planned]) -> Iterator[Repair]:
        """Tag, as long as there is time: the next sweep finds what is left."""
        alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for each in planned:
            for step in each.plan.steps:
                if isinstance(step, Tag):
                    alike.setdefault(tuple(sorted(step.tags.items())), []).append(step.flow_log_id)
        for tags, flow_log_ids in alike.items():
            if has_time(self._pace):
                yield from self._one(dict(tags), flow_log_ids)

    def _one(self, tags: dict[str, str], flow_log_ids: list[str]) -> Iterator[Repair]:
        keys, number = ", ".join(tags), len(flow_log_ids)
        named = flow_log_ids[0] if number == 1 else f"{flow_log_ids[0]} and {number - 1} more of ours"
        try:
            patiently(lambda: self._ec2.tag(flow_log_ids, tags), self._pace)
        except NotThere:
            # One was deleted meanwhile, and EC2 tagged none: the next sweep tags the others.
            return
        except EnforcementError as error:
            yield Repair(subject=SUBJECT, what=f"{named}: {keys} could not be set: {error}", done=False)
            return
        yield Repair(subject=SUBJECT, what=f"{named}: {keys} set as policy wants")
