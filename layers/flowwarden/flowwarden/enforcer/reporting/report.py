"""What the enforcer did for each VPC and its dependencies, ready for notifications and metrics. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.enforcer.decide import other_stacks, unmanaged
from flowwarden.enforcer.decide.duplicates import Duplicate, incident_of
from flowwarden.enforcer.decide.existing_flow_logs import NotReadFlowLog, ReadFlowLog
from flowwarden.enforcer.decide.log_groups import LogGroupStep
from flowwarden.enforcer.decide.other_stacks import OtherStack
from flowwarden.enforcer.decide.plan import Plan
from flowwarden.enforcer.decide.subscriptions import SubscriptionStep
from flowwarden.enforcer.decide.telemetry_rules import RuleReport
from flowwarden.enforcer.decide.unmanaged import Topic, UnmanagedFlowLog
from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.registry import DeletedFlowLog
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.errors import EnforcementIncomplete
from flowwarden.notify.claims import digest
from flowwarden.printable import one_line
from flowwarden.unreadable import NOTHING, Notes

LONGEST_NAME: Final = 64
"""Characters of a VPC's name in a report; a tag may have 256."""
CLAIMED_APART: Final = 20
"""Deletions of a report that are separate incidents; the others, as of a call about hundreds, are one."""


class Result(StrEnum):
    """The result for one VPC."""

    CREATED = "CREATED"
    REPLACED = "REPLACED"
    """The required flow log delivers, so the old managed one was deleted."""
    REMOVED = "REMOVED"
    """The policy no longer asks for a flow log, so the managed one was deleted."""
    ROLLED_BACK = "ROLLED_BACK"
    """The replacement failed to deliver, so it was deleted; the old flow log stays in place."""
    COVERED = "COVERED"
    SKIPPED = "SKIPPED"
    EXEMPT = "EXEMPT"
    GONE = "GONE"
    """Deleted in the meantime: nothing to cover, not an error."""
    PENDING = "PENDING"
    """Not decided yet: a scheduled retry checks again."""
    BROKEN = "BROKEN"
    """The VPC has the required flow log, but it does not deliver."""
    CONFLICT = "CONFLICT"
    """EC2 reports that such a flow log exists, but it is not the required one. Nothing was deleted."""
    FAILED = "FAILED"


DELETED: Final = frozenset({Result.REPLACED, Result.REMOVED})
"""The results of VPCs and transit gateways whose managed flow log was deleted as planned."""


class VpcOutcome(Struct, frozen=True, kw_only=True):
    """The result for one VPC, and the reason.

    `vpc_id` is None if the EC2 listing failed, so that the affected VPCs are unknown.
    """

    result: Result
    vpc_id: str | None
    reason: str
    flow_log_id: str | None = None
    flow_logs: int = 1
    """The number of flow logs that were created or replaced, if the result says so."""
    retryable: bool = False
    """Whether the same run may succeed later without intervention."""
    earlier: bool = False
    """Whether an earlier or concurrent run created the flow log."""
    awaited: bool = False
    """Whether the VPC has no flow log because its creation was attempted and postponed."""
    incident: str = ""
    """The key of the recurring incident that it belongs to; '' if it belongs to none."""
    every_run: bool = True
    """Whether every run reports it; if not, its incident is reported once per suppression window."""


class Remediation(Struct, frozen=True, kw_only=True):
    """A problem of a log group, the delivery role, tags or an EC2 description, and whether it was fixed."""

    resource: str
    summary: str
    applied: bool = True
    """Whether the problem was fixed; if not, action is required."""
    incident: str = ""
    """The key of the recurring incident that it belongs to; '' if it belongs to none."""
    every_run: bool = True
    """Whether every run reports it; if not, its incident is reported once per suppression window."""


class EnforcementReport(Struct, frozen=True, kw_only=True):
    """What one run of the enforcer found and did."""

    account_id: str
    region: str
    trigger: Trigger
    outcomes: tuple[VpcOutcome, ...] = ()
    remediations: tuple[Remediation, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    """Unmanaged flow logs that record the same traffic: reported once."""
    elsewhere: tuple[UnmanagedFlowLog, ...] = ()
    """Unmanaged flow logs that record it to S3 or Firehose: reported once."""
    unrecorded: tuple[UnmanagedFlowLog, ...] = ()
    """Flow logs with this stack's tag, but without the record that it created them: reported once."""
    other_stacks: tuple[OtherStack, ...] = ()
    """Other stacks of Flow Warden whose tags are on flow logs of the same VPCs: each is reported once."""
    read_in_place: tuple[ReadFlowLog, ...] = ()
    """Unmanaged flow logs that the monitor reads in existing log groups: reported once."""
    not_read: tuple[NotReadFlowLog, ...] = ()
    """Unmanaged flow logs whose log groups cannot be subscribed: reported once."""
    rules: RuleReport = RuleReport()
    """Telemetry enablement rules for VPC Flow Logs: reported once a month, and if they change."""
    adopted: tuple[FlowLog, ...] = ()
    """Flow logs that were recorded as managed because a person asked for it."""
    deletions: tuple[DeletedFlowLog, ...] = ()
    """Deletions of flow logs that were not reported yet: each is reported once."""
    located: tuple[DeletedFlowLog, ...] = ()
    """Deletions that were reported without a resource, which is known now, because the event of the creation
    arrived late."""
    deletions_later: int = 0
    """Deletions that later runs report, because there are many."""
    notices_later: int = 0
    """The number of flow logs and stacks to report once that later sweeps report, because there are many."""
    replaced: tuple[DeletedFlowLog, ...] = ()
    """Deletions by this run, which the outcomes of their VPCs contain."""
    record_command: str = ""
    """The command that records the flow logs of `unrecorded` as managed."""
    plans: tuple[Plan, ...] = ()
    log_group_steps: tuple[LogGroupStep | SubscriptionStep, ...] = ()
    """In a dry run: the plans for VPCs and the steps for log groups."""
    names: Mapping[str, str] = {}
    """The tag `Name` of each VPC that has one, by id."""
    queue_unavailable: bool = False
    """Whether the state table was unavailable, so that the remaining work could not be stored."""
    continues: bool = False
    """Whether time ran out, so that the next scheduled run continues the sweep."""
    unreadable_items: Notes = NOTHING
    """The parts of the state table's items that could not be read and were ignored."""

    def named(self, vpc_id: str) -> str:
        """A VPC by its id, with its name in parentheses if it has one."""
        name = one_line(self.names.get(vpc_id, ""), LONGEST_NAME)
        return f"{one_line(vpc_id)} ({name})" if name else one_line(vpc_id)

    def of(self, *results: Result) -> tuple[VpcOutcome, ...]:
        """The outcomes with one of these results, in order of execution."""
        return tuple(each for each in self.outcomes if each.result in results)

    @property
    def created(self) -> tuple[VpcOutcome, ...]:
        """The VPCs that got their flow log, from this run or since its event."""
        return self.of(Result.CREATED)

    @property
    def made(self) -> tuple[VpcOutcome, ...]:
        """The VPCs that got their flow log from this run."""
        return tuple(each for each in self.created if not each.earlier)

    @property
    def awaited(self) -> tuple[VpcOutcome, ...]:
        """The VPCs that still wait for their flow log after one was deleted.

        The caller is reported now, because the retry that creates the flow log does not know the caller.
        """
        if not self.trigger.is_deletion:
            return ()
        return tuple(each for each in self.outcomes if each.awaited)

    @property
    def failures(self) -> tuple[VpcOutcome, ...]:
        """The VPCs that are not covered as the policy requires."""
        return self.of(Result.FAILED, Result.BROKEN, Result.CONFLICT, Result.ROLLED_BACK)

    @property
    def problems(self) -> tuple[Remediation, ...]:
        """The problems that were not fixed: those of log groups, the delivery role, tags or descriptions."""
        return tuple(each for each in self.remediations if not each.applied)

    @property
    def unfinished(self) -> tuple[VpcOutcome, ...]:
        """The outcomes that a retry of the same event may fix."""
        return tuple(each for each in self.outcomes if each.retryable)

    @property
    def incidents(self) -> tuple[str, ...]:
        """The recurring incidents of outcomes and remediations, without repetition."""
        parts: tuple[VpcOutcome | Remediation, ...] = (*self.outcomes, *self.remediations)
        return tuple(dict.fromkeys(each.incident for each in parts if each.incident))

    @property
    def notices(self) -> dict[Topic, str]:
        """The incidents of what is reported once about unmanaged flow logs."""
        found = {
            Topic.DUPLICATE: incident_of(self.duplicates) if self.duplicates else "",
            Topic.ELSEWHERE: unmanaged.incident_of(Topic.ELSEWHERE, self.elsewhere),
            Topic.UNRECORDED: unmanaged.incident_of(Topic.UNRECORDED, self.unrecorded),
            Topic.OTHER_STACK: other_stacks.incident_of(self.other_stacks),
            Topic.READ: unmanaged.incident_of(Topic.READ, self.read_in_place),
            Topic.NOT_READ: unmanaged.incident_of(Topic.NOT_READ, self.not_read),
        }
        return {topic: incident for topic, incident in found.items() if incident}

    @property
    def deletions_by_incident(self) -> dict[str, tuple[DeletedFlowLog, ...]]:
        """The deletions by incident; most are incidents of their own, as concurrent runs may know others."""
        apart, rest = self.deletions[:CLAIMED_APART], self.deletions[CLAIMED_APART:]
        found = {_incident_of(each): (each,) for each in apart}
        return found | ({digest("deletions", *map(_incident_of, rest)): rest} if rest else {})

    def about(self, incidents: Collection[str]) -> EnforcementReport:
        """The report, limited to what every run reports and to these recurring incidents."""
        return replace(
            self,
            outcomes=tuple(each for each in self.outcomes if each.every_run or each.incident in incidents),
            remediations=tuple(
                each for each in self.remediations if each.every_run or each.incident in incidents
            ),
            duplicates=self.duplicates if self.notices.get(Topic.DUPLICATE) in incidents else (),
            elsewhere=self.elsewhere if self.notices.get(Topic.ELSEWHERE) in incidents else (),
            unrecorded=self.unrecorded if self.notices.get(Topic.UNRECORDED) in incidents else (),
            other_stacks=self.other_stacks if self.notices.get(Topic.OTHER_STACK) in incidents else (),
            read_in_place=self.read_in_place if self.notices.get(Topic.READ) in incidents else (),
            not_read=self.not_read if self.notices.get(Topic.NOT_READ) in incidents else (),
            rules=self.rules if self.rules.incident in incidents else RuleReport(),
            deletions=tuple(
                one
                for incident, some in self.deletions_by_incident.items()
                if incident in incidents
                for one in some
            ),
        )

    def without(self, flow_log_ids: Iterable[str]) -> EnforcementReport:
        """The report without those of the enforcer's own deletions that a stored report contains."""
        left_out = set(flow_log_ids)
        kept = (each for each in self.deletions if not (each.is_own and each.flow_log_id in left_out))
        return replace(self, deletions=tuple(kept))

    @property
    def is_news(self) -> bool:
        """Whether the report must be sent: something was changed, something is wrong, or the stack is new.

        A retry does not report a transient failure; the sweep reports it if it persists.
        """
        failures = self.failures
        if not RUN_MODES[self.trigger.kind].reports_lasting:
            failures = tuple(each for each in failures if not each.retryable)
        changed = self.created or self.of(*DELETED) or self.remediations or self.adopted
        once = self.notices or self.deletions or self.located or self.rules.incident
        # Work for a later run is reported now, with the caller that made it necessary.
        unfinished = self.trigger.is_deletion and (self.awaited or self.continues)
        # After a deployment, the reader sees that no VPC is missing.
        first = self.trigger.deployed and self.outcomes
        return bool(changed or once or failures or unfinished or first or self.trigger.takes_away)

    def raise_if_incomplete(self) -> None:
        """Make Lambda retry the event if work remains that no later run knows of.

        Raises:
            EnforcementIncomplete: the state table was unavailable, and a retry may complete the work.
        """
        if not self.queue_unavailable:
            return
        if left := [each.vpc_id or "unknown VPCs" for each in self.unfinished]:
            raise EnforcementIncomplete(f"not covered yet; a retry may succeed: {', '.join(left)}")
        if self.continues:
            # The position is not stored. A retry skips what is done already, and gets further.
            raise EnforcementIncomplete("time ran out before all VPCs were checked: a retry continues")


def _incident_of(deletion: DeletedFlowLog) -> str:
    """The incident of a deletion: another one once its caller is known."""
    caller = deletion.caller
    return digest("deletion", deletion.flow_log_id, *((caller.event_id, caller.actor) if caller else ()))
