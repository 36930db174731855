"""Pending pages and the budget: the dispatcher counts what it sends, and holds the rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from flowwarden.aws.dynamodb.item import StoredItem
from flowwarden.dispatcher.report import DispatchReport
from flowwarden.notify.claims import ClaimKey
from flowwarden.notify.incident import Incident
from flowwarden.notify.page_budget import Page, PageLimits
from flowwarden.state.schema import INCIDENTS
from flowwarden.state.sets import DAY, HOUR
from flowwarden.unreadable import Unreadable
from tests.aws.clients import make_state_table, shared
from tests.dispatcher.test_dispatch import CRASHES, RUNBOOK, TABLE, TERMS, WAIT, Account, Calls
from tests.examples import examples

NOON = 1_764_000_000 // DAY * DAY + 12 * HOUR
SOON = NOON + TERMS.lease + 60
LIMITS = PageLimits(hour=2, day=6)


@pytest.fixture
def account() -> Iterator[Account]:
    """An account whose pages have a budget of two an hour."""
    with mock_aws():
        make_state_table(TABLE)
        yield Account(limits=LIMITS)


def ended(account: Account, now: int, *keys: str) -> None:
    """One batch for each incident, whose function ends before it sends."""
    for key in keys:
        account.page(now, key, calls=Calls(at=1), batch=key)


def test_pending_pages_beyond_the_budget_are_held(account: Account) -> None:
    """In one roll-up; they are resolved like others."""
    ended(account, NOON, "a", "b", "c", "d")
    report = account.dispatch(SOON)
    assert report == DispatchReport(due=4, resent=2, held=("c.", "d."))
    *single, last = account.sink.sent
    assert [each.subject for each in single] == ["a", "b"]
    assert last.document["limit"] == {"pages": 2, "seconds": HOUR, "until": NOON + HOUR}
    assert (last.attributes["account"], last.attributes["region"]) == ("1", "eu-west-1")
    assert last.attributes["event"] == last.document["event"] == "opened"
    assert last.document["runbook"] == RUNBOOK
    assert f"Runbook: {RUNBOOK}" in last.text
    assert account.dispatch(SOON + 60) == DispatchReport()
    account.records(NOON + WAIT + 600)
    report = account.dispatch(NOON + WAIT + 900)
    assert report is not None
    assert report.resolved == 4
    texts = {each.subject: each.text for each in account.sink.sent[3:]}
    assert "held, because the budget for pages was spent" in texts["[RESOLVED] c"]
    assert "held" not in texts["[RESOLVED] a"]


def test_a_page_that_was_counted_before_is_sent(account: Account) -> None:
    """Its function ended after it was counted: it needs no second page of the budget."""
    account.page(NOON, "a", calls=Calls(at=1, after=False), batch="a")
    account.pages.pages.take(Page(key=ClaimKey("memory:pages", "a"), last_sent=None), NOON)
    account.page(NOON, "b")
    account.dispatch(SOON)
    account.page(SOON, "c")
    assert [each.subject for each in account.sink.sent[:2]] == ["b", "a"]
    assert len(account.sink.sent) == 3
    assert "limit" in account.sink.sent[2].document


def held(key: str) -> bool:
    """Whether the incident is stored as open, with its page held."""
    pk, sk = INCIDENTS.address("memory:pages", key)
    item = shared("dynamodb").get_item(TableName=TABLE, Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"]
    stored = StoredItem(pk, item, Unreadable())
    incident = stored.document("incident", Incident) if "incident" in item else None
    return incident is not None and incident.held and item["state"]["S"] == "SENT"


@examples(0.3)
@given(st.lists(CRASHES, max_size=3), st.integers(1, 6))
def test_no_crash_of_the_dispatcher_exceeds_the_budget(crashes: list[tuple[int, bool]], count: int) -> None:
    """The roll-up is repeated at most once more per crash; each incident is sent or listed in the end."""
    with mock_aws():
        make_state_table(TABLE)
        account, now = Account(limits=LIMITS), NOON
        keys = [f"i{number}" for number in range(count)]
        ended(account, NOON, *keys)
        for at, after in crashes:
            now += TERMS.lease + 70
            account.dispatch(now, Calls(at, after))
        for _ in range(20):
            now += 60
            account.dispatch(now)
        single = [each.subject for each in account.sink.sent if "limit" not in each.document]
        assert now < NOON + HOUR
        assert len(set(single)) <= 2
        assert len(account.sink.sent) - len(set(single)) <= 1 + len(crashes)
        for _ in range(12):
            now += 900
            account.dispatch(now)
        single = [each.subject for each in account.sink.sent if "limit" not in each.document]
        assert set(keys) == set(single) | {key for key in keys if held(key)}
