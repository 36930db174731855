"""What came of the steps for one VPC."""

from __future__ import annotations

from msgspec import Struct

from flowwarden.enforcer.reporting.report import VpcOutcome
from flowwarden.enforcer.work_queue import WorkItem


class StepResult(Struct, frozen=True, kw_only=True):
    """How it ended for one VPC, and when to look at it again, if a later run has to."""

    outcome: VpcOutcome
    requeue_after: WorkItem | None = None
