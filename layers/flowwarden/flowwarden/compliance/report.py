"""What the enforcer did about each VPC, ready to be told, counted and logged. Pure data."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from flowwarden.compliance.triggers import Trigger


class Result(StrEnum):
    """How it ended for one VPC."""

    CREATED = "CREATED"
    COVERED = "COVERED"
    SKIPPED = "SKIPPED"
    GONE = "GONE"
    """Deleted meanwhile: nothing to cover, no error."""
    PENDING = "PENDING"
    """The VPC, or its flow log, exists and is not visible yet: the retry will see it."""
    BROKEN = "BROKEN"
    """It has the wanted flow log, which does not deliver."""
    FAILED = "FAILED"


class Outcome(Struct, frozen=True, kw_only=True):
    """How it ended for one VPC, and why.

    `vpc_id` is None where the VPCs could not be listed, so that nobody knows whom it concerns.
    """

    result: Result
    vpc_id: str | None
    reason: str
    flow_log_id: str | None = None
    retryable: bool = False
    """Whether the same run may succeed later without anybody's help."""
    earlier: bool = False
    """Whether it was an earlier run, or one beside this one, that created the flow log."""


class EnforcementReport(Struct, frozen=True, kw_only=True):
    """What one run of the enforcer found and did."""

    account_id: str
    region: str
    trigger: Trigger
    outcomes: tuple[Outcome, ...] = ()

    def of(self, *results: Result) -> tuple[Outcome, ...]:
        """The outcomes with one of these results, in the order in which they happened."""
        return tuple(each for each in self.outcomes if each.result in results)

    @property
    def created(self) -> tuple[Outcome, ...]:
        """The VPCs that were given their flow log, by this run or since its event."""
        return self.of(Result.CREATED)

    @property
    def made(self) -> tuple[Outcome, ...]:
        """The VPCs that this very run gave their flow log."""
        return tuple(each for each in self.created if not each.earlier)

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The VPCs that nobody watches although somebody should: failed or broken."""
        return self.of(Result.FAILED, Result.BROKEN)

    @property
    def unfinished(self) -> tuple[Outcome, ...]:
        """What a retry of the same event may mend."""
        return tuple(each for each in self.outcomes if each.retryable)

    @property
    def is_news(self) -> bool:
        """Whether people have to hear about it: something was changed, or something is wrong."""
        return bool(self.created or self.failures)
