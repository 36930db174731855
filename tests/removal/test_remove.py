"""The removal: its order, what it never touches, and that it continues after a failure or an interruption."""

from __future__ import annotations

import itertools
import random

import pytest
from msgspec.structs import replace

from flowwarden.errors import CallFailed, CallRefused
from flowwarden.removal.inventory import Inventory, OwnGroup
from flowwarden.removal.plan import (
    DeleteFilter,
    DeleteFlowLog,
    DeleteLogGroup,
    DeleteStack,
    DisableRule,
    Step,
    StopEnforcer,
    described,
    obstacle,
    plan,
    remaining,
)
from flowwarden.removal.ports import Deletion
from flowwarden.removal.remove import FIRST_POLL_SECONDS, LONGEST_SECONDS, POLL_SECONDS, ROUNDS, remove
from tests.removal.fakes import FILTER, INSTALLED, MemoryAccount, Noted

KINDS: tuple[type[Step], ...] = (
    DisableRule, StopEnforcer, DeleteFilter, DeleteFlowLog, DeleteLogGroup, DeleteStack,
)  # fmt: skip
EMPTY = Inventory(stack="flow-warden", region="eu-west-1", exists=False)


def kinds(steps: list[Step]) -> list[type[Step]]:
    """The kinds of the steps, in order."""
    return [type(each) for each in steps]


def test_the_enforcer_is_stopped_first_and_the_stack_deleted_last() -> None:
    """The filters and the flow logs are in between; the log groups only by choice."""
    account, noted = MemoryAccount(), Noted()
    assert remove(INSTALLED, account, noted.progress, log_groups=False) == []
    assert kinds(account.taken) == [
        DisableRule, StopEnforcer, DeleteFilter, DeleteFilter, DeleteFlowLog, DeleteStack,
    ]  # fmt: skip
    assert account.taken == plan(INSTALLED, log_groups=False) == noted.done
    assert account.now.groups == INSTALLED.groups
    assert (noted.left, noted.waited) == ([2, 1], [FIRST_POLL_SECONDS, FIRST_POLL_SECONDS * 2])


def test_the_log_groups_are_deleted_before_the_stack_if_that_is_chosen() -> None:
    """The resources of the stack name them, so a later run still finds them."""
    account = MemoryAccount()
    assert remove(INSTALLED, account, Noted().progress, log_groups=True) == []
    assert kinds(account.taken)[-2:] == [DeleteLogGroup, DeleteStack]
    assert account.now.groups == ()


def test_a_flow_log_without_the_record_of_its_creation_is_never_deleted() -> None:
    """Others can set the tag. The plan names it with the command."""
    account = MemoryAccount()
    remove(INSTALLED, account, Noted().progress, log_groups=True)
    assert account.now.unproven == INSTALLED.unproven
    assert [each for each in remaining(INSTALLED, log_groups=True) if "--flow-log-ids fl-9 " in each]


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_failure_a_later_run_continues(kind: type[Step]) -> None:
    """A step that fails keeps the stack, which proves what is its own."""
    account = MemoryAccount(faults={kind: CallRefused("AccessDenied")})
    (problem, *_) = remove(INSTALLED, account, Noted().progress, log_groups=True)
    assert problem.endswith(": AccessDenied")
    assert DeleteStack not in kinds(account.taken)
    assert account.now.exists
    account.faults.clear()
    left = account.inventory()
    assert remove(left, account, Noted().progress, log_groups=True) == []
    assert account.taken.count(DeleteStack(stack="flow-warden")) == 1
    assert not account.now.exists


@pytest.mark.parametrize("kind", [DisableRule, StopEnforcer])
def test_nothing_is_removed_while_the_enforcer_runs(kind: type[Step]) -> None:
    """It would restore it, and report it as tampering."""
    account = MemoryAccount(faults={kind: CallFailed("away")})
    assert remove(INSTALLED, account, Noted().progress, log_groups=True)
    assert not {DeleteFilter, DeleteFlowLog, DeleteLogGroup, DeleteStack} & set(kinds(account.taken))


def test_what_a_run_of_the_enforcer_restores_is_removed_again() -> None:
    """A run that had begun may end later."""
    account, noted = MemoryAccount(polls=0), Noted()
    account.restores = 2
    assert remove(INSTALLED, account, noted.progress, log_groups=False) == []
    assert account.taken.count(DeleteFilter(filter=FILTER)) == 3
    assert len(noted.waited) == 2


def test_what_another_tool_restores_each_time_keeps_the_stack() -> None:
    """And is named."""
    account = MemoryAccount()
    account.restores = ROUNDS + 1
    (problem,) = remove(INSTALLED, account, Noted().progress, log_groups=False)
    assert problem.startswith("still restored after several attempts")
    assert DeleteStack not in kinds(account.taken)


def test_a_deletion_that_fails_names_the_resources() -> None:
    """With CloudFormation's reasons."""
    ends = Deletion(status="DELETE_FAILED", left=1, failures=("PagesTopic: not authorized",))
    found = remove(INSTALLED, MemoryAccount(ends=ends), Noted().progress, log_groups=False)
    assert found == ["the stack is in the state DELETE_FAILED", "PagesTopic: not authorized"]


def test_the_command_does_not_wait_forever() -> None:
    """An hour, then it says so; it looks less and less often."""
    noted = Noted()
    (problem,) = remove(INSTALLED, MemoryAccount(polls=10**6), noted.progress, log_groups=False)
    assert "still being deleted after 60 minutes" in problem
    assert LONGEST_SECONDS <= sum(noted.waited) < LONGEST_SECONDS + POLL_SECONDS
    assert noted.waited == sorted(noted.waited)
    assert noted.waited[-1] == POLL_SECONDS


@pytest.mark.parametrize("stop_after", range(7))
@pytest.mark.parametrize("log_groups", [False, True])
def test_an_interruption_at_any_step_loses_nothing(stop_after: int, *, log_groups: bool) -> None:
    """The next run takes exactly the steps that are left."""
    account, steps = MemoryAccount(polls=0), plan(INSTALLED, log_groups=log_groups)
    for step in steps[:stop_after]:
        account.carry_out(step)
    if not any(isinstance(each, DeleteStack) for each in account.taken):
        assert plan(account.inventory(), log_groups=log_groups) == steps[stop_after:]
    assert remove(account.inventory(), account, Noted().progress, log_groups=log_groups) == []
    left = account.inventory()
    assert (left.exists, left.filters, left.managed) == (False, (), ())


def test_any_part_of_an_installation_is_removed() -> None:
    """Whatever is left of it: the order of the steps is always that of the kinds."""
    chance = random.Random(7)  # noqa: S311 - not for security
    names = ("enforcer", "rules", "filters", "managed", "unproven", "groups")
    for kept in itertools.product((True, False), repeat=len(names)):
        gone = {name: getattr(EMPTY, name) for name, keep in zip(names, kept, strict=True) if not keep}
        found = replace(INSTALLED, **gone, stopped=chance.random() < 0.5)
        account = MemoryAccount(found, polls=0)
        assert remove(found, account, Noted().progress, log_groups=True) == []
        order = [KINDS.index(each) for each in kinds(account.taken)]
        assert order == sorted(order)
        assert account.now.unproven == found.unproven
        assert (account.now.exists, account.now.filters, account.now.managed) == (False, (), ())


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (replace(INSTALLED, protected=True), "update-termination-protection"),
        (replace(INSTALLED, status="UPDATE_IN_PROGRESS"), "UPDATE_IN_PROGRESS"),
    ],
)
def test_what_keeps_the_stack_from_being_deleted_is_found_before_anything_is_removed(
    found: Inventory, word: str
) -> None:
    """With what to do."""
    assert word in obstacle(found)


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "ROLLBACK_COMPLETE", "DELETE_FAILED", "DELETE_IN_PROGRESS"]
)
def test_every_other_state_can_be_removed(status: str) -> None:
    """Also a deletion that has begun or failed."""
    assert obstacle(replace(INSTALLED, status=status)) == ""


@pytest.mark.parametrize("protected", [True, False])
def test_a_kept_group_is_named_with_its_protection(*, protected: bool) -> None:
    """AWS does not delete a protected group; the command unprotects it if it is to be deleted."""
    found = replace(INSTALLED, groups=(replace(INSTALLED.groups[0], protected=protected),))
    (kept,) = [each for each in remaining(found, log_groups=False) if "the log group" in each]
    assert ("protected from deletion" in kept) is protected


def test_a_log_group_that_may_be_of_an_earlier_policy_is_named_but_never_deleted() -> None:
    """With the commands that delete it, also from its protection; another stack may have made it."""
    groups = (
        OwnGroup(name="/f/logs-old", protected=True),
        OwnGroup(name="/f/logs-2", stored_bytes=2_000_000),
    )
    found = replace(INSTALLED, similar=groups)
    for chosen in (True, False):
        assert plan(found, log_groups=chosen) == plan(INSTALLED, log_groups=chosen)
        old, two = (each for each in remaining(found, log_groups=chosen) if "an earlier policy" in each)
        assert "/f/logs-old with its records, protected from deletion: " in old
        assert old.index("--no-deletion-protection-enabled") < old.index("delete-log-group --log-group-name")
        assert "(2.0 MB): " in two
        assert two.endswith("aws logs delete-log-group --log-group-name /f/logs-2 --region eu-west-1")


def test_every_step_has_words() -> None:
    """With the name of what it changes."""
    words = [described(each) for each in plan(INSTALLED, log_groups=True)]
    assert len(set(words)) == len(words)
    assert "the log group /flow-warden/flow-logs with its records (12.5 MB)" in words[-2]
