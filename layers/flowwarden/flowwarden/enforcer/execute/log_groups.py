"""Executes steps for log groups: retention, key and subscription."""

from __future__ import annotations

from collections.abc import Sequence

from flowwarden.enforcer.decide.log_groups import LogGroupStep
from flowwarden.enforcer.execute.backoff import with_backoff
from flowwarden.enforcer.ports import LogGroupService, Pace
from flowwarden.enforcer.reporting.report import Remediation
from flowwarden.errors import CallFailed, CallRefused


class LogGroupExecutor:
    """Creates, changes and subscribes log groups."""

    def __init__(self, groups: LogGroupService, pace: Pace) -> None:
        self._groups = groups
        self._pace = pace

    def execute(self, steps: Sequence[LogGroupStep]) -> list[Remediation]:
        """Execute the steps and return their results in order. A failed step does not stop the others."""
        return [self._execute(step) for step in steps]

    def _execute(self, step: LogGroupStep) -> Remediation:
        try:
            with_backoff(lambda: self._groups.carry_out(step), self._pace)
        except (CallRefused, CallFailed) as error:
            return Remediation(resource=step.group, summary=f"{step.reason}: {error}", applied=False)
        return Remediation(resource=step.group, summary=step.reason)
