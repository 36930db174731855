"""What the enforcer did about each VPC and about what it keeps, ready to be told and counted. Pure."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.enforcer.decide.duplicates import Duplicate, turn_of
from flowwarden.enforcer.decide.log_groups import LogGroupStep
from flowwarden.enforcer.decide.plan import Plan
from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.triggers.trigger import Trigger


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
    """Nobody can tell yet, or it is too early: a scheduled look will see."""
    BROKEN = "BROKEN"
    """It has the wanted flow log, which does not deliver."""
    CONFLICT = "CONFLICT"
    """EC2 says that such a flow log exists, and it is not the wanted one. Nothing was deleted."""
    FAILED = "FAILED"


class VpcOutcome(Struct, frozen=True, kw_only=True):
    """How it ended for one VPC, and why.

    `vpc_id` is None where EC2 could not be asked at all, so that nobody knows whom it concerns.
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
    turn: str = ""
    """The turn to tell of it that was asked for; '' for what is told by each run."""
    repeated: bool = False
    """Whether people were told of it within the suppression window, and are not told again."""


class Remediation(Struct, frozen=True, kw_only=True):
    """What was found about a log group, the delivery role or a description, and done."""

    subject: str
    what: str
    done: bool = True
    """Whether it was put right; else somebody has to."""
    turn: str = ""
    """The turn to tell of it that was asked for; '' for what is told by each run."""
    repeated: bool = False
    """Whether people were told of it within the suppression window, and are not told again."""


class EnforcementReport(Struct, frozen=True, kw_only=True):
    """What one run of the enforcer found and did."""

    account_id: str
    region: str
    trigger: Trigger
    outcomes: tuple[VpcOutcome, ...] = ()
    repairs: tuple[Remediation, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    """What others record again; none if people were told of just these within the suppression window."""
    plans: tuple[Plan, ...] = ()
    upkeep: tuple[LogGroupStep, ...] = ()
    """What was planned for VPCs and for log groups, of a run that only plans."""
    forgotten: bool = False
    """Whether the state table did not answer, so that nobody comes back by schedule."""
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
        """The VPCs whose flow log is still to come after somebody deleted one.

        Whoever did it is told now: the look that creates it does not know.
        """
        if not self.trigger.is_deletion:
            return ()
        return tuple(each for each in self.outcomes if each.awaited)

    @property
    def failures(self) -> tuple[VpcOutcome, ...]:
        """The VPCs that are not watched as policy wants, and need somebody."""
        return self.of(Result.FAILED, Result.BROKEN, Result.CONFLICT, Result.ROLLED_BACK)

    @property
    def troubles(self) -> tuple[Remediation, ...]:
        """What is wrong about a log group, the delivery role or a description, and was not put right."""
        return tuple(each for each in self.repairs if not each.done)

    @property
    def unfinished(self) -> tuple[VpcOutcome, ...]:
        """What a retry of the same event may mend."""
        return tuple(each for each in self.outcomes if each.retryable)

    @property
    def turns(self) -> tuple[str, ...]:
        """The turns that this run got: what it tells is not told again within the suppression window."""
        asked: tuple[VpcOutcome | Remediation, ...] = (*self.outcomes, *self.repairs)
        turns = tuple(each.turn for each in asked if each.turn and not each.repeated)
        return (*turns, turn_of(self.duplicates)) if self.duplicates else turns

    @property
    def news(self) -> EnforcementReport:
        """The report without what people were told of lately."""
        return replace(
            self,
            outcomes=tuple(each for each in self.outcomes if not each.repeated),
            repairs=tuple(each for each in self.repairs if not each.repeated),
        )

    @property
    def is_news(self) -> bool:
        """Whether people have to hear about it: something was changed, or something is wrong.

        A look at what is pending tells no failure that may pass: the sweep tells it, if it stays.
        """
        news = self.news
        failures = news.failures
        if not RUN_MODES[self.trigger.kind].reports_lasting:
            failures = tuple(each for each in failures if not each.retryable)
        changed = news.created or news.of(Result.REPLACED) or news.repairs or news.duplicates
        # What is left to a later look is told now, with whoever made it necessary.
        unfinished = self.trigger.is_deletion and (news.awaited or self.goes_on)
        return bool(changed or failures or unfinished or self.trigger.takes_away)
