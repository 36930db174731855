"""The run modes: what each kind of run observes, checks, stores and reports. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

from flowwarden.enforcer.triggers.trigger import RunKind


class RunMode(Struct, frozen=True, kw_only=True):
    """The behavior of one kind of run."""

    vpcs: Literal["named", "all", "due", "none"]
    """The VPCs that it plans for: those of the event, all, those that are due, none."""
    scope: str
    """The text for the same in notifications."""
    runs_dry: bool = True
    """Whether it does anything in a dry run. A retry does not: its queue stays as it is."""
    requeues_rest: bool = False
    """Whether the VPCs that the run had no time for are put into the work queue individually."""
    keeps_cursor: bool = False
    """Whether it stores where it stopped, so that a later run can continue."""
    resumes_sweep: bool = False
    """Whether it continues an interrupted sweep."""
    checks_dependencies: bool = False
    """Whether it also checks the delivery role."""
    checks_silence: bool = False
    """Whether it reports silent log groups, unverified flow logs and duplicates."""
    reports_lasting: bool = True
    """Whether it reports persistent problems. A run every few minutes does not: each sweep does."""

    records: bool = False
    """Whether it records flow logs as managed."""

    def acts(self, *, dry_run: bool) -> bool:
        """Whether such a run does anything; `dry_run` says whether it only plans."""
        observes = self.vpcs != "none" or self.checks_dependencies or self.records
        return observes and (self.runs_dry or not dry_run)


RUN_MODES: Final[Mapping[RunKind, RunMode]] = MappingProxyType(
    {
        RunKind.EVENT: RunMode(vpcs="named", scope="the named VPCs", requeues_rest=True),
        RunKind.SWEEP: RunMode(
            vpcs="all",
            scope="all VPCs, log groups and the delivery role",
            keeps_cursor=True,
            checks_dependencies=True,
            checks_silence=True,
        ),
        RunKind.RETRY: RunMode(
            vpcs="due", scope="pending VPCs", runs_dry=False, resumes_sweep=True, reports_lasting=False
        ),
        RunKind.DEPENDENCIES: RunMode(
            vpcs="none", scope="log groups and the delivery role", checks_dependencies=True
        ),
        RunKind.RECORD: RunMode(vpcs="none", scope="the flow logs to record", records=True),
        RunKind.IGNORED: RunMode(vpcs="none", scope="nothing"),
    }
)
"""One row for each kind of run."""
