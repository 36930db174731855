"""What each kind of run looks at, checks, remembers and reports: the one table. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

from flowwarden.enforcer.triggers.trigger import RunKind


class RunMode(Struct, frozen=True, kw_only=True):
    """How a kind of run works."""

    vpcs: Literal["named", "all", "due", "none"]
    """The VPCs that it plans for: those of the event, all, those whose time has come, none."""
    looks_at: str
    """The same for people."""
    runs_dry: bool = True
    """Whether it does anything in a dry run. A retry does not: its queue stays as it is."""
    requeues_rest: bool = False
    """Whether VPCs that it had no time for go into the work queue one by one."""
    keeps_cursor: bool = False
    """Whether it remembers where it stopped, so that a later run goes on from there."""
    resumes_sweep: bool = False
    """Whether it goes on with a sweep that stopped."""
    checks_dependencies: bool = False
    """Whether it looks at the delivery role as well."""
    checks_silence: bool = False
    """Whether it reports what delivers nothing, and what is recorded twice."""
    reports_lasting: bool = True
    """Whether it reports what stays wrong. A run every few minutes does not: each sweep does."""

    def acts(self, *, dry_run: bool) -> bool:
        """Whether such a run does anything at all, where `dry_run` says whether it only plans."""
        looks = self.vpcs != "none" or self.checks_dependencies
        return looks and (self.runs_dry or not dry_run)


RUN_MODES: Final[Mapping[RunKind, RunMode]] = MappingProxyType(
    {
        RunKind.EVENT: RunMode(vpcs="named", looks_at="named", requeues_rest=True),
        RunKind.SWEEP: RunMode(
            vpcs="all",
            looks_at="everything",
            keeps_cursor=True,
            checks_dependencies=True,
            checks_silence=True,
        ),
        RunKind.RETRY: RunMode(
            vpcs="due", looks_at="pending", runs_dry=False, resumes_sweep=True, reports_lasting=False
        ),
        RunKind.DEPENDENCIES: RunMode(vpcs="none", looks_at="surroundings", checks_dependencies=True),
        RunKind.IGNORED: RunMode(vpcs="none", looks_at="nothing"),
    }
)
"""A row for each kind."""
