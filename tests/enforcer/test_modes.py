"""The table of run modes: one row per kind, and no other module that branches on the kind."""

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
    """The members of RunKind that a module compares values with."""
    return [
        each.attr
        for compare in ast.walk(module)
        if isinstance(compare, ast.Compare)
        for each in ast.walk(compare)
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == "RunKind"
    ]


def test_every_kind_of_run_has_a_row() -> None:
    """A new kind without a row would fail at its first event."""
    assert set(RUN_MODES) == set(RunKind)


def test_only_a_sweep_reports_silence_and_stores_its_position() -> None:
    """Only a sweep observes everything."""
    assert [kind for kind, mode in RUN_MODES.items() if mode.checks_silence] == [RunKind.SWEEP]
    assert [kind for kind, mode in RUN_MODES.items() if mode.keeps_cursor] == [RunKind.SWEEP]


def test_the_delivery_role_is_checked_by_sweeps_and_by_events_about_it() -> None:
    """A created VPC does not lead to a check."""
    checked = {kind for kind, mode in RUN_MODES.items() if mode.checks_dependencies}
    assert checked == {RunKind.SWEEP, RunKind.DEPENDENCIES}


def test_a_retry_reports_no_persistent_problem_and_does_nothing_in_a_dry_run() -> None:
    """It runs every few minutes; the sweep reports persistent problems."""
    mode = RUN_MODES[RunKind.RETRY]
    assert (mode.reports_lasting, mode.runs_dry, mode.resumes_sweep) == (False, False, True)


@pytest.mark.parametrize(
    "path",
    [path for path in source.python("layers/flowwarden") if path.is_relative_to(DECIDES)],
    ids=source.name,
)
def test_only_the_table_branches_on_the_kind_of_run(path: Path) -> None:
    """Otherwise the table would not define what a run does."""
    assert path in ALLOWED or kinds_compared(source.tree(path)) == []


@pytest.mark.parametrize("kind", RunKind)
def test_which_kinds_act_with_and_without_a_dry_run(kind: RunKind) -> None:
    """An ignored event requires no action, and a retry does not change its queue in a dry run."""
    mode = RUN_MODES[kind]
    assert mode.acts(dry_run=False) == (kind is not RunKind.IGNORED)
    assert mode.acts(dry_run=True) == (kind not in {RunKind.IGNORED, RunKind.RETRY})


def test_a_comparison_with_a_kind_is_found() -> None:
    """So the check can fail."""
    assert kinds_compared(ast.parse("if trigger.kind is RunKind.SWEEP:\n    pass")) == ["SWEEP"]
