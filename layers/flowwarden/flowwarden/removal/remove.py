"""Executes the removal: stops the enforcer, reverts its changes, then deletes the stack."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from flowwarden.errors import EnforcementError
from flowwarden.removal.inventory import Inventory
from flowwarden.removal.plan import DeleteStack, Step, deleting, described, stopping, undoing
from flowwarden.removal.ports import Account, Deletion

ROUNDS: Final = 6
"""How often the changes are looked for: a run of the enforcer that had begun may restore something."""
ROUND_SECONDS: Final = 5.0
FIRST_POLL_SECONDS: Final = 0.5
POLL_SECONDS: Final = 5.0
"""The longest time between two looks at the deletion: each waits twice as long as the one before."""
LONGEST_SECONDS: Final = 3600.0
"""How long the command waits for the deletion of the stack."""


class Progress(Struct, frozen=True, kw_only=True):
    """How the removal reports what it does, and waits."""

    done: Callable[[Step], None]
    """Called after each step."""
    deleting: Callable[[Deletion], None]
    """Called while the stack is being deleted."""
    wait: Callable[[float], None]
    """Sleeps for some seconds."""


def remove(found: Inventory, account: Account, progress: Progress, *, log_groups: bool) -> list[str]:
    """Remove the installation; return what went wrong, empty if it is gone.

    After a failure, the stack is not deleted, so that a later run can continue.

    Args:
        found: what there is.
        account: the account.
        progress: how to report and wait.
        log_groups: whether the stack's log groups are deleted.
    """
    problems = _take(stopping(found), account, progress)
    if problems:  # the enforcer would restore what is removed
        return problems
    problems = _undo(found, account, progress) or _take(
        [each for each in deleting(found, log_groups=log_groups) if not isinstance(each, DeleteStack)],
        account,
        progress,
    )
    return problems or (_delete(found, account, progress) if found.exists else [])


def _undo(found: Inventory, account: Account, progress: Progress) -> list[str]:
    """Take the changes back, until none is left."""
    for _ in range(ROUNDS):
        problems = _take(undoing(found), account, progress)
        try:
            found = account.inventory()
        except EnforcementError as error:
            return [*problems, f"cannot read what is left: {error}"]
        if problems or not undoing(found):
            return problems
        progress.wait(ROUND_SECONDS)
    return [
        f"still restored after several attempts, by another tool or stack: {described(each)}"
        for each in undoing(found)
    ]


def _take(steps: Iterable[Step], account: Account, progress: Progress) -> list[str]:
    """Take these steps; one that fails keeps none of the others from being taken."""
    problems: list[str] = []
    for step in steps:
        try:
            account.carry_out(step)
        except EnforcementError as error:
            problems.append(f"cannot {described(step)}: {error}")
        else:
            progress.done(step)
    return problems


def _delete(found: Inventory, account: Account, progress: Progress) -> list[str]:
    """Delete the stack, and wait until it is gone."""
    step = DeleteStack(stack=found.stack)
    waited, pause = 0.0, FIRST_POLL_SECONDS
    try:
        account.carry_out(step)
        while not (state := account.deletion()).is_over:
            if waited >= LONGEST_SECONDS:
                return [f"the stack is still being deleted after {LONGEST_SECONDS / 60:.0f} minutes"]
            progress.deleting(state)
            progress.wait(pause)
            waited, pause = waited + pause, min(pause * 2, POLL_SECONDS)
    except EnforcementError as error:
        return [f"cannot {described(step)}: {error}"]
    if state.status:
        return [f"the stack is in the state {state.status}", *state.failures]
    progress.done(step)
    return []
