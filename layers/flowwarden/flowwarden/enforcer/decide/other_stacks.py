"""Other stacks of Flow Warden whose tags are on flow logs of the same VPCs. Pure.

Two stacks record such a VPC twice, at the cost of both. Others can set the tag, so it decides nothing about
coverage, management or deletions: a flow log that has it is unmanaged like any other. It only changes what is
advised about a flow log that records the same traffic again, because its stack would create it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.decide.coverage import CoverageVerdict
from flowwarden.enforcer.decide.unmanaged import Topic
from flowwarden.notify.claims import digest

STACKS_AT_MOST: Final = 20
"""Stacks that one report names; the next sweep names more."""
ADVICE: Final = (
    "remove one of the stacks, or exempt the VPCs of each stack in the policy of the other (`exemptions`). "
    "Delete the superfluous flow logs after that, because their stack would recreate them before"
)


class OtherStack(Struct, frozen=True, kw_only=True):
    """Another stack, and its flow logs in the VPCs that this stack covers, too."""

    name: str
    flow_logs: tuple[tuple[str, str], ...]
    """The id of each, and its VPC."""

    @property
    def vpc_ids(self) -> tuple[str, ...]:
        """The VPCs, without repetition."""
        return tuple(dict.fromkeys(vpc_id for _, vpc_id in self.flow_logs))

    @property
    def mark(self) -> str:
        """What is stored with its flow logs once it was reported: a tag that changes names another stack."""
        return digest(Topic.OTHER_STACK, self.name)


def other_stacks(
    verdicts: Iterable[CoverageVerdict], reported: Collection[str] = ()
) -> tuple[OtherStack, ...]:
    """The other stacks in these VPCs by name, except those that were reported before (by their marks).

    A VPC that is exempt, or that another account owns, is not among them: only the other stack covers it.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for verdict in verdicts:
        for name, flow_log_ids in verdict.other_stacks.items():
            found.setdefault(name, []).extend((each, verdict.vpc_id) for each in flow_log_ids)
    stacks = (OtherStack(name=name, flow_logs=tuple(each)) for name, each in sorted(found.items()))
    return tuple(each for each in stacks if each.mark not in reported)


def incident_of(stacks: Iterable[OtherStack]) -> str:
    """The incident for exactly these stacks; '' if there are none."""
    names = [each.name for each in stacks]
    return digest(Topic.OTHER_STACK, *names) if names else ""
