"""The table of run modes: a row for each kind, and no second place that decides by the kind."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.triggers.trigger import RunKind
from tests.architecture import source

DECIDES = source.PACKAGE / "enforcer"
ALLOWED = {DECIDES / "modes.py", DECIDES / "triggers" / "trigger.py"}


def kinds_compared(module: ast.Module) -> list[str]:
    """The members of RunKind that a module compares with."""
    return [
        each.attr
        for compare in ast.walk(module)
        if isinstance(compare, ast.Compare)
        for each in ast.walk(compare)
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == "RunKind"
    ]


def test_every_kind_of_run_has_a_row() -> None:
    """A new kind without one would fail at its first event."""
    assert set(RUN_MODES) == set(RunKind)


def test_only_a_sweep_reports_silence_and_remembers_where_it_stopped() -> None:
    """It is the one run that has seen everything."""
    assert [kind for kind, mode in RUN_MODES.items() if mode.checks_silence] == [RunKind.SWEEP]
    assert [kind for kind, mode in RUN_MODES.items() if mode.keeps_cursor] == [RunKind.SWEEP]


def test_the_delivery_role_is_checked_by_sweeps_and_by_events_about_it() -> None:
    """Not for each VPC that is created."""
    checked = {kind for kind, mode in RUN_MODES.items() if mode.checks_dependencies}
    assert checked == {RunKind.SWEEP, RunKind.DEPENDENCIES}


def test_a_retry_reports_no_lasting_failure_and_does_nothing_in_a_dry_run() -> None:
    """It runs every few minutes: the sweep reports what lasts."""
    mode = RUN_MODES[RunKind.RETRY]
    assert (mode.reports_lasting, mode.runs_dry, mode.resumes_sweep) == (False, False, True)


@pytest.mark.parametrize(
    "path",
    [path for path in source.python("layers/flowwarden") if path.is_relative_to(DECIDES)],
    ids=source.name,
)
def test_no_module_decides_by_the_kind_of_run_but_the_table(path: Path) -> None:
    """Or the table would not say what a run does."""
    assert path in ALLOWED or kinds_compared(source.tree(path)) == []


@pytest.mark.parametrize("kind", RunKind)
def test_what_acts_in_a_dry_run_and_outside_of_it(kind: RunKind) -> None:
    """Nothing follows from an ignored event, and a retry leaves its queue alone in a dry run."""
    mode = RUN_MODES[kind]
    assert mode.acts(dry_run=False) == (kind is not RunKind.IGNORED)
    assert mode.acts(dry_run=True) == (kind not in {RunKind.IGNORED, RunKind.RETRY})


def test_the_check_can_fail() -> None:
    """A comparison with a kind is noticed."""
    assert kinds_compared(ast.parse("if trigger.kind is RunKind.SWEEP:\n    pass")) == ["SWEEP"]
