"""Executes steps for log groups: retention, key and subscription."""

from __future__ import annotations

from collections.abc import Sequence

from flowwarden.enforcer.decide.log_groups import CreateLogGroup, LogGroupStep
from flowwarden.enforcer.execute.backoff import with_backoff
from flowwarden.enforcer.ports import LogGroupService, RunClock
from flowwarden.enforcer.reporting.report import Remediation
from flowwarden.errors import EnforcementError, NotAvailable


class LogGroupExecutor:
    """Creates, changes and subscribes log groups."""

    def __init__(self, groups: LogGroupService, clock: RunClock) -> None:
        self._groups = groups
        self._clock = clock

    def execute(self, steps: Sequence[LogGroupStep]) -> list[Remediation]:
        """Execute the steps and return their results in order.

        A failed step does not stop the others, except those for a group that could not be created.
        """
        results: list[Remediation] = []
        missing: set[str] = set()
        for step in steps:
            if step.group in missing:
                continue
            done = self._execute(step)
            if done is None:
                continue
            results.append(done)
            if isinstance(step, CreateLogGroup) and not done.applied:
                missing.add(step.group)
        return results

    def _execute(self, step: LogGroupStep) -> Remediation | None:
        """The result; None if the step is not available here, which is no problem."""
        try:
            with_backoff(lambda: self._groups.carry_out(step), self._clock)
        except NotAvailable:
            return None
        except EnforcementError as error:
            return Remediation(resource=step.group, summary=f"{step.reason}: {error}", applied=False)
        return Remediation(resource=step.group, summary=step.reason)
