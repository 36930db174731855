"""Notifications of a topic that was replaced: the current one gets what is pending, once, and it ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from flowwarden.dispatcher.report import DispatchReport
from flowwarden.notify.page_budget import PageLimits
from tests.aws.clients import make_state_table
from tests.dispatcher.test_dispatch import CRASHES, NOW, TABLE, TERMS, WAIT, Account, Calls
from tests.examples import examples
from tests.notify.fakes import MemorySink

DUE = NOW + TERMS.lease + 60


def replaced(account: Account) -> MemorySink:
    """Another topic for pages; returns the old one."""
    old, account.sink = account.sink, MemorySink(name="memory:new-pages")
    return old


@pytest.fixture
def account() -> Iterator[Account]:
    """An account without incidents."""
    with mock_aws():
        make_state_table(TABLE)
        yield Account()


def test_the_current_topic_gets_a_pending_page_once(account: Account) -> None:
    """Nothing fails, and nothing stays due: the alarm of the dispatcher stays off."""
    account.page(NOW, "a", calls=Calls(at=1), batch="b")
    old = replaced(account)
    assert account.dispatch(DUE) == DispatchReport(due=1, resent=1, moved=("a.",))
    assert account.events == [("a", "page")]
    assert old.sent == []
    for minute in range(1, 15):
        assert account.dispatch(DUE + 60 * minute) == DispatchReport()


def test_the_incident_goes_on_at_the_current_topic(account: Account) -> None:
    """A retry of the batch finds that it was sent, a repeat is suppressed, and the end is sent."""
    account.page(NOW, "a", calls=Calls(at=1), batch="b")
    replaced(account)
    account.dispatch(DUE)
    account.page(DUE + 60, "a", batch="b")
    account.page(DUE + 120, "a", batch="c")
    account.records(DUE + 120 + 2 * WAIT)
    account.dispatch(DUE + 120 + 2 * WAIT + 300)
    assert account.events == [("a", "page"), ("[RESOLVED] a", "resolved")]


def test_a_topic_that_got_the_page_by_itself_gets_no_second(account: Account) -> None:
    """The monitor has found the incident again meanwhile."""
    account.page(NOW, "a", calls=Calls(at=1), batch="b")
    replaced(account)
    account.page(NOW + 30, "a", batch="c")
    assert account.dispatch(DUE) == DispatchReport(due=1, moved=("a.",))
    assert account.events == [("a", "page")]
    assert account.dispatch(DUE + 600) == DispatchReport()


def test_a_topic_that_refuses_gets_it_later(account: Account) -> None:
    """The run fails until it is sent."""
    account.page(NOW, "a", calls=Calls(at=1), batch="b")
    replaced(account)
    account.sink.away = True
    report = account.dispatch(DUE)
    assert report is not None
    assert len(report.unsent) == 1
    account.sink.away = False
    for minute in range(1, 20):
        account.dispatch(DUE + 60 * minute)
    assert account.events == [("a", "page")]
    assert account.dispatch(DUE + 1200) == DispatchReport()


def test_the_budget_of_the_current_topic_applies() -> None:
    """What it holds is in its roll-up."""
    with mock_aws():
        make_state_table(TABLE)
        account = Account(limits=PageLimits(hour=1, day=6))
        for key in "ab":
            account.page(NOW, key, calls=Calls(at=1), batch=key)
        replaced(account)
        report = account.dispatch(DUE)
        assert report is not None
        assert (report.resent, report.held, len(report.moved)) == (1, ("b.",), 2)
        assert account.sink.sent[0].subject == "a"
        assert account.sink.sent[1].document["listed"] == ["b."]
        assert account.dispatch(DUE + 600) == DispatchReport()


def test_a_resolved_incident_of_a_replaced_topic_ends_without_a_notification(account: Account) -> None:
    """Its page went elsewhere; the log names it."""
    account.page(NOW, "a")
    replaced(account)
    account.records(NOW + WAIT + 600)
    report = account.dispatch(NOW + WAIT + 900)
    assert report == DispatchReport(due=1, resolved=1, unreported=("a.",))
    assert account.sink.sent == []
    assert account.dispatch(NOW + WAIT + 960) == DispatchReport()


@examples(0.3)
@given(crashes=st.lists(CRASHES, max_size=3))
def test_no_crash_loses_the_page_or_leaves_it_due(crashes: list[tuple[int, bool]]) -> None:
    """Once more per crash at most."""
    with mock_aws():
        make_state_table(TABLE)
        account, now = Account(), DUE
        account.page(NOW, "a", calls=Calls(at=1), batch="b")
        replaced(account)
        for at, after in crashes:
            account.dispatch(now, Calls(at, after))
            now += 60
        for _ in range(50):
            account.dispatch(now)
            now += 60
        assert 1 <= len(account.sink.sent) <= 1 + len(crashes)
        assert account.dispatch(now + 60) == DispatchReport()
