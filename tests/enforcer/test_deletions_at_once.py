"""Runs at the same time, and runs that end early, report each deletion once."""

from __future__ import annotations

from copy import deepcopy

import pytest

from flowwarden.enforcer.registry import KnownFlowLog
from flowwarden.enforcer.reporting.flow_logs import LISTED_AT_MOST
from flowwarden.enforcer.reporting.report import CLAIMED_APART
from flowwarden.enforcer.triggers import trigger
from tests.enforcer.deletions import (
    MINE,
    RETRY_EVENT,
    SWEEP,
    Account,
    assert_reported_once,
    begin,
    deletion,
    lines_about,
)
from tests.enforcer.fakes import STACK
from tests.enforcer.fakes_ec2 import wanted
from tests.enforcer.runs import BORN, DESIRED, deliver, existing


def test_what_the_enforcer_deleted_is_reported_even_if_its_run_could_not() -> None:
    """The next run finds nothing left to delete."""
    account = Account(existing(flow_log_id=MINE, log_format="${version}"), seen=False)
    alternate = DESIRED.alternate_destination
    assert alternate is not None
    new = wanted("fl-new", "vpc-1", alternate, BORN - 9999)
    account.ec2.existing.append(new)
    account.fakes.registry.record(new)
    service = account.fakes.service(account.policy)
    service.reconcile(trigger.read(SWEEP, STACK), account.now)
    assert account.ec2.deleted == [MINE]
    account.settle()
    (line,) = account.reports
    assert line.startswith(
        "- fl-0a of vpc-1 (managed by this stack): deleted by the enforcer as its plan required"
    )


@pytest.mark.parametrize("first", [0, 1])
def test_two_deletions_at_once_are_reported_once_each(first: int) -> None:
    """The second run already knows of both; the reports are sent in either order."""
    account = Account()
    account.delete()
    account.delete("fl-0c")
    runs = [begin(account, deletion(MINE, at=account.now, number="d1"))]
    runs.append(begin(account, deletion("fl-0c", at=account.now, number="d2")))
    for service, report in (runs[first], runs[1 - first]):
        deliver(service, report, account.now)
    account.settle()
    assert_reported_once(account)
    assert len(lines_about(account.fakes, "fl-0c")) == 1


@pytest.mark.parametrize("number", [2, CLAIMED_APART + 30])
def test_a_report_that_is_sent_but_not_marked_is_not_repeated_after_the_window(number: int) -> None:
    """The run ended in between; the next one marks it, however many flow logs the call deleted."""
    account = Account()
    ids = [f"fl-{each:04}" for each in range(number)]
    for each in ids:
        account.fakes.registry.put(KnownFlowLog(flow_log_id=each, resource_ids=("vpc-1",), vpc_id="vpc-1"))
    service, report = begin(account, deletion(*ids, at=account.now))
    before = deepcopy(account.fakes.registry.entries)
    deliver(service, report, account.now)
    account.fakes.registry.entries = before
    account.settle()
    account.settle()
    assert len(account.reports_of(ids)) == min(number, LISTED_AT_MOST)
    assert account.known_to_be_reported == {*ids}


def test_a_run_beside_the_one_that_replaces_a_flow_log_does_not_report_it_too() -> None:
    """Both see that it is gone; the one that deleted it is about to report it."""
    account = Account(existing(flow_log_id=MINE, log_format="${version}"), seen=False)
    alternate = DESIRED.alternate_destination
    assert alternate is not None
    new = wanted("fl-new", "vpc-1", alternate, BORN - 9999)
    account.ec2.existing.append(new)
    account.fakes.registry.record(new)
    service, report = begin(account, SWEEP)
    assert account.ec2.deleted == [MINE]
    account.invoke(RETRY_EVENT, 10)
    account.invoke(deletion("fl-0e", at=account.now), 10)
    deliver(service, report, account.now)
    account.settle()
    assert account.reports == []
    assert len([each for each in account.fakes.sink.sent if "deleted fl-0a" in each.text]) == 1
