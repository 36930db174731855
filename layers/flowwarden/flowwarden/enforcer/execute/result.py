"""The result of the steps for one VPC."""

from __future__ import annotations

from msgspec import Struct

from flowwarden.enforcer.reporting.report import VpcOutcome
from flowwarden.enforcer.work_queue import WorkItem


class StepResult(Struct, frozen=True, kw_only=True):
    """The outcome for one VPC, and its work item if a later run must handle it."""

    outcome: VpcOutcome
    requeue_after: WorkItem | None = None
