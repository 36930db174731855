"""The removal of subscription filters when the stack is deleted."""

from __future__ import annotations

from msgspec.structs import replace

from flowwarden.bootstrap.subscription_removal import AT_ONCE, RESERVE_SECONDS, OwnFilters, remove
from flowwarden.enforcer.decide.subscriptions import statement_id
from flowwarden.enforcer.state.inventory import LogGroup, Subscription
from flowwarden.errors import CallRefused, NotFound
from flowwarden.policy.log_groups import LogGroupSelection
from tests.enforcer.fakes import MONITOR
from tests.enforcer.fakes_existing import FakeExisting, FakePermissions

NAME = "flow-warden"
FILTERS = OwnFilters(name=NAME, monitor_arn=MONITOR, own_group="/flow-warden/flow-logs")
OURS = Subscription(name=NAME, destination_arn=MONITOR)
OTHERS = (
    Subscription(name="siem", destination_arn="arn:aws:lambda:eu-west-1:111122223333:function:siem"),
    Subscription(name="by-hand", destination_arn=MONITOR),
)


def account(*groups: LogGroup, names: tuple[str, ...] = ("/aws/vpc/*", "/hub")) -> FakeExisting:
    """An account with these groups, and the permissions for these names and patterns."""
    permissions = FakePermissions()
    for each in names:
        permissions.statements[statement_id(LogGroupSelection(name=each))] = each
    existing = FakeExisting(permissions)
    existing.add(*groups)
    return existing


def left(existing: FakeExisting, seconds: float = 60) -> list[str]:
    """What is left after the removal."""
    return remove(existing, existing.permissions, FILTERS, lambda: seconds)


def test_the_stacks_filters_go_and_nothing_else_changes() -> None:
    """Those of others stay, also one of the same name that delivers elsewhere."""
    elsewhere = replace(OTHERS[0], name=NAME)
    before = [
        LogGroup(name="/aws/vpc/vpc-1", retention_days=7, subscriptions=(*OTHERS[:1], OURS)),
        LogGroup(name="/aws/vpc/vpc-2", subscriptions=(elsewhere,)),
        LogGroup(name="/hub", subscriptions=(OURS, OTHERS[1])),
        LogGroup(name="/hub-2", subscriptions=(OURS,)),
    ]
    existing = account(*before)
    assert left(existing) == []
    assert list(existing.there.values()) == [
        replace(before[0], subscriptions=OTHERS[:1]),
        before[1],
        replace(before[2], subscriptions=OTHERS[1:]),
        before[3],
    ]


def test_without_permissions_nothing_was_subscribed() -> None:
    """Not even the groups are listed."""
    existing = account(LogGroup(name="/hub", subscriptions=(OURS,)), names=())
    assert left(existing) == []
    assert existing.described == []


def test_what_cannot_be_removed_is_named_and_hurts_no_other() -> None:
    """A group that refuses, and a listing that does."""
    groups = [LogGroup(name=f"/aws/vpc/vpc-{number}", subscriptions=(OURS,)) for number in range(3)]
    existing = account(*groups)
    existing.change_faults = {"/aws/vpc/vpc-1": CallRefused("AccessDeniedException")}
    existing.faults = {"/hub*": CallRefused("denied")}
    assert left(existing) == ["/hub*: denied", "/aws/vpc/vpc-1: AccessDeniedException"]
    assert [bool(each.subscriptions) for each in existing.there.values()] == [False, True, False]


def test_when_time_runs_out_the_rest_is_named() -> None:
    """The next deletion continues."""
    number = 2 * AT_ONCE + 1
    existing = account(
        *(LogGroup(name=f"/aws/vpc/{each:04}", subscriptions=(OURS,)) for each in range(number))
    )
    seconds = iter([RESERVE_SECONDS, RESERVE_SECONDS - 1, RESERVE_SECONDS - 1])
    found = remove(existing, existing.permissions, FILTERS, lambda: next(seconds))
    assert len(found) == number - AT_ONCE
    assert found[0] == f"/aws/vpc/{AT_ONCE:04}: there was no time left to look for the filter"
    assert existing.read == [f"/aws/vpc/{each:04}" for each in range(AT_ONCE)]
    assert left(existing) == []


def test_repeated_deletions_of_many_groups_come_to_an_end() -> None:
    """Each has time for a few groups, and also looks at those without a filter: the next begins elsewhere."""
    number = 10 * AT_ONCE
    existing = account(
        *(LogGroup(name=f"/aws/vpc/{each:04}", subscriptions=(OURS,)) for each in range(number))
    )
    for turn in range(5):
        seconds = iter([*([RESERVE_SECONDS] * 2), *([0.0] * number)])
        remove(existing, existing.permissions, FILTERS, seconds.__next__, turn * 2 * AT_ONCE)
    assert not any(each.subscriptions for each in existing.there.values())


def test_a_group_that_is_deleted_meanwhile_is_not_left() -> None:
    """Its filter is gone with it."""
    existing = account(LogGroup(name="/hub", subscriptions=(OURS,)))
    existing.faults = {"/hub": NotFound("ResourceNotFoundException")}
    assert left(existing) == []


def test_the_filter_of_the_stacks_own_group_is_left_to_cloudformation() -> None:
    """A pattern may match it, and the deletion must not fail because it may not be removed here."""
    own, beside = (
        LogGroup(name=f"/flow-warden/{each}", subscriptions=(OURS,)) for each in ("flow-logs", "hub")
    )
    existing = account(own, beside, names=("/flow-warden/*",))
    existing.change_faults = {own.name: CallRefused("AccessDeniedException")}
    assert left(existing) == []
    assert existing.there[own.name] == own
    assert existing.there[beside.name].subscriptions == ()
