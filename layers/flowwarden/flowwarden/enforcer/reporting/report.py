"""What the enforcer did about each VPC and what it depends on, ready to be reported and counted. Pure."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.enforcer.decide.duplicates import Duplicate, incident_of
from flowwarden.enforcer.decide.log_groups import LogGroupStep
from flowwarden.enforcer.decide.plan import Plan
from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.errors import EnforcementIncomplete


class Result(StrEnum):
    """How it ended for one VPC."""

    CREATED = "CREATED"
    REPLACED = "REPLACED"
    """The wanted flow log delivers, so our own old one was deleted."""
    ROLLED_BACK = "ROLLED_BACK"
    """The replacement failed to deliver, so it was deleted, and the old flow log goes on."""
    COVERED = "COVERED"
    SKIPPED = "SKIPPED"
    EXEMPT = "EXEMPT"
    GONE = "GONE"
    """Deleted meanwhile: nothing to cover, no error."""
    PENDING = "PENDING"
    """It is too early to say: a scheduled retry looks again."""
    BROKEN = "BROKEN"
    """It has the wanted flow log, which does not deliver."""
    CONFLICT = "CONFLICT"
    """EC2 says that such a flow log exists, and it is not the wanted one. Nothing was deleted."""
    FAILED = "FAILED"


class VpcOutcome(Struct, frozen=True, kw_only=True):
    """How it ended for one VPC, and why.

    `vpc_id` is None where EC2 could not be asked at all, so that it is unknown which VPCs it concerns.
    """

    result: Result
    vpc_id: str | None
    reason: str
    flow_log_id: str | None = None
    retryable: bool = False
    """Whether the same run may succeed later without anybody's help."""
    earlier: bool = False
    """Whether it was an earlier run, or one beside this one, that created the flow log."""
    awaited: bool = False
    """Whether the VPC lacks its flow log, and creating it was tried and put off."""
    incident: str = ""
    """The key of the recurring incident that it belongs to; '' if it belongs to none."""
    every_run: bool = True
    """Whether each run reports it; else a notification of its incident, once in a suppression window."""


class Remediation(Struct, frozen=True, kw_only=True):
    """What was found about a log group, the delivery role or a description, and done."""

    resource: str
    summary: str
    applied: bool = True
    """Whether it was put right; else a person has to."""
    incident: str = ""
    """The key of the recurring incident that it belongs to; '' if it belongs to none."""
    every_run: bool = True
    """Whether each run reports it; else a notification of its incident, once in a suppression window."""


class EnforcementReport(Struct, frozen=True, kw_only=True):
    """What one run of the enforcer found and did."""

    account_id: str
    region: str
    trigger: Trigger
    outcomes: tuple[VpcOutcome, ...] = ()
    remediations: tuple[Remediation, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    """What others record again: reported once in a suppression window."""
    plans: tuple[Plan, ...] = ()
    log_group_steps: tuple[LogGroupStep, ...] = ()
    """What was planned for VPCs and for log groups, of a run that only plans."""
    queue_unavailable: bool = False
    """Whether the state table did not answer, so that no later run knows what is left."""
    goes_on: bool = False
    """Whether time ran out, so that the next scheduled look goes on with the sweep."""

    def of(self, *results: Result) -> tuple[VpcOutcome, ...]:
        """The outcomes with one of these results, in the order in which they happened."""
        return tuple(each for each in self.outcomes if each.result in results)

    @property
    def created(self) -> tuple[VpcOutcome, ...]:
        """The VPCs that were given their flow log, by this run or since its event."""
        return self.of(Result.CREATED)

    @property
    def made(self) -> tuple[VpcOutcome, ...]:
        """The VPCs that this very run gave their flow log."""
        return tuple(each for each in self.created if not each.earlier)

    @property
    def awaited(self) -> tuple[VpcOutcome, ...]:
        """The VPCs whose flow log is still to come after one was deleted.

        The caller is reported now: the retry that creates it does not know.
        """
        if not self.trigger.is_deletion:
            return ()
        return tuple(each for each in self.outcomes if each.awaited)

    @property
    def failures(self) -> tuple[VpcOutcome, ...]:
        """The VPCs that are not watched as policy wants, and need a person."""
        return self.of(Result.FAILED, Result.BROKEN, Result.CONFLICT, Result.ROLLED_BACK)

    @property
    def troubles(self) -> tuple[Remediation, ...]:
        """What is wrong about a log group, the delivery role or a description, and was not put right."""
        return tuple(each for each in self.remediations if not each.applied)

    @property
    def unfinished(self) -> tuple[VpcOutcome, ...]:
        """What a retry of the same event may mend."""
        return tuple(each for each in self.outcomes if each.retryable)

    @property
    def incidents(self) -> tuple[str, ...]:
        """The recurring incidents of outcomes and remediations, each once."""
        parts: tuple[VpcOutcome | Remediation, ...] = (*self.outcomes, *self.remediations)
        return tuple(dict.fromkeys(each.incident for each in parts if each.incident))

    @property
    def duplicates_incident(self) -> str:
        """The incident of just these duplicates; '' if there are none."""
        return incident_of(self.duplicates) if self.duplicates else ""

    def about(self, incidents: Collection[str]) -> EnforcementReport:
        """The report with what each run reports, and of what is reported once only these incidents."""
        return replace(
            self,
            outcomes=tuple(each for each in self.outcomes if each.every_run or each.incident in incidents),
            remediations=tuple(
                each for each in self.remediations if each.every_run or each.incident in incidents
            ),
            duplicates=self.duplicates if self.duplicates_incident in incidents else (),
        )

    @property
    def is_news(self) -> bool:
        """Whether people have to hear about it: something was changed, or something is wrong.

        A retry reports no failure that may pass: the sweep reports it, if it stays.
        """
        failures = self.failures
        if not RUN_MODES[self.trigger.kind].reports_lasting:
            failures = tuple(each for each in failures if not each.retryable)
        changed = self.created or self.of(Result.REPLACED) or self.remediations or self.duplicates
        # What is left to a later run is reported now, with whoever made it necessary.
        unfinished = self.trigger.is_deletion and (self.awaited or self.goes_on)
        return bool(changed or failures or unfinished or self.trigger.takes_away)

    def raise_if_incomplete(self) -> None:
        """Make Lambda retry the event if it left something undone that no later run knows of.

        Raises:
            EnforcementIncomplete: the state table did not answer, and a retry may do what is left.
        """
        if not self.queue_unavailable:
            return
        if left := [each.vpc_id or "the list of VPCs" for each in self.unfinished]:
            raise EnforcementIncomplete(f"not covered yet, a retry may do it: {', '.join(left)}")
        if self.goes_on:
            # Where it stopped is not stored. A retry finds done what was done, and comes further.
            raise EnforcementIncomplete("time ran out before all VPCs were looked at: a retry goes on")
