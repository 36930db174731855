"""A run reports, and marks as reported, a bounded number of flow logs; the next runs go on."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.decide.unmanaged import Topic
from flowwarden.enforcer.deletion_call import DeletionCall
from flowwarden.enforcer.deletions import REPORTED_AT_MOST as DELETIONS_AT_MOST
from flowwarden.enforcer.registry import DeletedFlowLog, KnownFlowLog
from flowwarden.enforcer.reporting.recurring import REPORTED_AT_MOST as NOTICES_AT_MOST
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from flowwarden.notify.text import plural
from flowwarden.policy.flow_logs import FlowLogsPolicy
from tests.enforcer.deletions import EVE, SWEEP, Account, deletion
from tests.enforcer.runs import BORN, existing

OLD: Final = BORN - 9999
ROUNDS: Final = 12


def counts(account: Account, heading: str) -> list[int]:
    """The number of flow logs that a section of each notification states."""
    found = (
        re.search(rf"^{heading}.* \((\d+)\)$", each.text, re.MULTILINE) for each in account.fakes.sink.sent
    )
    return [int(each[1]) for each in found if each is not None]


def later(account: Account) -> list[int]:
    """The number of flow logs that each notification leaves to later ones."""
    documents = [each.document for each in account.fakes.sink.sent]
    return [each["deletions_later"] + each["reported_later"] for each in documents]


@pytest.mark.parametrize("number", [1, DELETIONS_AT_MOST, DELETIONS_AT_MOST + 1, 2 * DELETIONS_AT_MOST + 50])
def test_many_deletions_are_reported_by_several_runs_once_each(number: int) -> None:
    """The first report says how many are left to the next ones; no run marks more than its bound."""
    account = Account()
    ids = [f"fl-{each:04}" for each in range(number)]
    for each in ids:
        account.fakes.registry.put(KnownFlowLog(flow_log_id=each, resource_ids=("vpc-1",), vpc_id="vpc-1"))
    sent = len(account.fakes.sink.sent)
    account.invoke(deletion(*ids, at=account.now))
    beyond = max(0, number - DELETIONS_AT_MOST)
    assert later(account)[sent:] == [beyond]
    assert (f"- {plural(beyond, 'deletion')} more: " in account.fakes.sink.sent[sent].text) is bool(beyond)
    for _ in range(3):
        before = account.known_to_be_reported
        account.invoke(SWEEP, 3600)
        assert len(account.known_to_be_reported - before) <= DELETIONS_AT_MOST
    assert sum(counts(account, "FLOW LOGS DELETED")) == number
    assert account.known_to_be_reported == {*ids}


@pytest.mark.parametrize(
    ("topic", "changes"),
    [
        (Topic.DUPLICATE, {"log_group_name": "theirs", "tags": {}}),
        (
            Topic.ELSEWHERE,
            {"log_destination_type": "s3", "log_destination": "arn:aws:s3:::theirs", "tags": {}},
        ),
        (Topic.UNRECORDED, {"log_group_name": "theirs"}),
    ],
)
def test_many_notices_are_marked_by_several_sweeps_once_each(topic: Topic, changes: dict[str, str]) -> None:
    """Of each topic that is reported once, a sweep marks a bounded number; none is reported twice."""
    number = 2 * NOTICES_AT_MOST + 30
    account = Account(seen=False)
    ids = {f"fl-many-{each:04}" for each in range(number)}
    more = [existing(flow_log_id=each, creation_time=OLD, **changes) for each in sorted(ids)]
    account.ec2.existing += more
    seen = [0]
    for _ in range(ROUNDS):
        account.invoke(SWEEP, 3600)
        seen.append(len(marked(account, topic) & ids))
    assert seen[1] == NOTICES_AT_MOST == max(b - a for a, b in pairwise(seen))
    assert marked(account, topic) >= ids
    left = [each for each in later(account) if each]
    assert left == sorted(left, reverse=True)
    assert left[0] >= number - NOTICES_AT_MOST


def marked(account: Account, topic: Topic) -> set[str]:
    """The flow logs that are marked as reported."""
    return {each.flow_log_id for each in account.fakes.registry.of(KnownFlowLog) if topic in each.reported}


def test_a_run_that_ends_between_its_report_and_its_marks_loses_none() -> None:
    """The next one finds the report sent, marks its part, and reports the rest."""
    number = DELETIONS_AT_MOST + 40
    account = Account(policy=FlowLogsPolicy())
    ids = [f"fl-{each:04}" for each in range(number)]
    account.invoke(deletion(*ids, at=account.now))
    entries = account.fakes.registry.entries
    (call,) = account.fakes.registry.of(DeletionCall)
    entries[DeletionCall, call.call_id] = replace(call, reported=())
    for _ in range(3):
        account.invoke(SWEEP, 3600)
    assert sum(counts(account, "FLOW LOGS DELETED")) == number
    assert account.known_to_be_reported == {*ids}
    assert call.caller.actor == EVE


def test_only_the_kind_of_entry_that_is_marked_is_read_after_a_report() -> None:
    """All of them in one call if there are deletions and notices: a slow table needs long for each call."""
    account = Account(seen=False)
    loaded = account.fakes.registry.loaded
    account.invoke(deletion("fl-1", at=account.now))
    assert loaded[-1:] == [DeletionCall]
    theirs = existing(flow_log_id="fl-theirs", creation_time=OLD, log_group_name="theirs", tags={})
    account.ec2.existing.append(theirs)
    account.invoke(SWEEP, 3600)
    assert loaded[-1:] == [KnownFlowLog]
    assert marked(account, Topic.DUPLICATE) == {"fl-theirs"}
    account.ec2.existing.append(replace(theirs, flow_log_id="fl-more"))
    account.fakes.registry.put(
        DeletedFlowLog(flow_log_id="fl-2", resource_ids=("vpc-1",), vpc_id="vpc-1", at=account.now,
                       caller=ApiCaller(event_name="DeleteFlowLogs", actor=EVE, event_id="d"))
    )  # fmt: skip
    account.invoke(SWEEP, 3600)
    assert loaded[-2:] == [None, None]
    assert marked(account, Topic.DUPLICATE) == {"fl-theirs", "fl-more"}
    assert account.known_to_be_reported >= {"fl-1", "fl-2"}
