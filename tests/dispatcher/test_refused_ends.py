"""A service that refuses the end of an incident gets it after the repair, or a day later the log names it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from moto import mock_aws

from flowwarden.dispatcher.ends import RETRIED_SECONDS, RETRY_SECONDS
from flowwarden.dispatcher.report import DispatchReport
from flowwarden.errors import PublishRefused
from flowwarden.notify.notification import Notification
from tests.aws.clients import make_state_table
from tests.dispatcher.test_dispatch import NOW, TABLE, WAIT, Account, Calls
from tests.notify.fakes import MemorySink

ENDED = NOW + 2 * WAIT + 300
REASON = "Resolved: a. the service answered with status 404"


@dataclass
class RefusingSink(MemorySink):
    """Refuses everything while its secret is wrong."""

    refuses: bool = False

    def send(self, notification: Notification) -> None:
        """See the port."""
        if self.refuses:
            raise PublishRefused("the service answered with status 404")
        super().send(notification)


@pytest.fixture
def account() -> Iterator[Account]:
    """An account with an incident that was sent and is over; its service refuses everything."""
    with mock_aws():
        make_state_table(TABLE)
        account = Account(RefusingSink())
        account.page(NOW, "a")
        account.records(NOW + 2 * WAIT)
        refuse(account)
        yield account


def refuse(account: Account, *, refuses: bool = True) -> None:
    """The cause begins, or is repaired."""
    assert isinstance(account.sink, RefusingSink)
    account.sink.refuses = refuses


def refused_once(account: Account) -> None:
    """The first run after its end."""
    assert account.dispatch(ENDED) == DispatchReport(due=1, resolved=1, ends_refused=(REASON,))


def test_it_is_reported_once_and_tried_again_after_half_an_hour(account: Account) -> None:
    """No run fails, so neither an alarm of the dispatcher nor one of refusals comes again."""
    refused_once(account)
    for minute in range(1, RETRY_SECONDS // 60):
        assert account.dispatch(ENDED + 60 * minute) == DispatchReport()
    again = DispatchReport(due=1, ends_refused_again=(REASON,))
    assert account.dispatch(ENDED + RETRY_SECONDS) == again
    refuse(account, refuses=False)
    assert account.dispatch(ENDED + 2 * RETRY_SECONDS) == DispatchReport(due=1)
    assert account.events == [("a", "page"), ("[RESOLVED] a", "resolved")]
    assert account.dispatch(ENDED + 3 * RETRY_SECONDS) == DispatchReport()


def test_after_a_day_it_is_named_and_not_tried_again(account: Account) -> None:
    """One write less than for ever."""
    refused_once(account)
    reports = [
        account.dispatch(ENDED + seconds)
        for seconds in range(RETRY_SECONDS, RETRIED_SECONDS + 4 * RETRY_SECONDS, RETRY_SECONDS)
    ]
    given_up = DispatchReport(due=1, ends_given_up=(REASON,))
    assert reports[-5:] == [
        DispatchReport(due=1, ends_refused_again=(REASON,)), given_up, *[DispatchReport()] * 3
    ]  # fmt: skip
    assert sum(each == given_up for each in reports) == 1


def test_if_it_recurs_meanwhile_it_goes_on_and_its_next_end_is_sent(account: Account) -> None:
    """Within the suppression window, so nothing is sent in between."""
    refused_once(account)
    account.page(ENDED + 60, "a")
    refuse(account, refuses=False)
    assert account.dispatch(ENDED + RETRY_SECONDS + 60) == DispatchReport()
    later = ENDED + 60 + 2 * WAIT
    account.records(later)
    account.dispatch(later + 3600)
    assert account.events == [("a", "page"), ("[RESOLVED] a", "resolved")]


@pytest.mark.matrix(6)
@pytest.mark.parametrize("at", range(10))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_run_that_ends_at_any_call_neither_loses_the_end_nor_repeats_it(
    account: Account, at: int, *, after: bool
) -> None:
    """Of the table or of the service."""
    account.dispatch(ENDED, Calls(at=at, after=after))
    account.dispatch(ENDED + 300)
    refuse(account, refuses=False)
    for minute in range(5, RETRY_SECONDS // 60 + 15):
        account.dispatch(ENDED + 60 * minute)
    assert account.events == [("a", "page"), ("[RESOLVED] a", "resolved")]


def test_one_that_was_refused_delays_no_other(account: Account) -> None:
    """More than one run reports, all of one service: each is tried once in half an hour."""
    keys = [f"k{number:02}" for number in range(30)]
    refuse(account, refuses=False)
    account.page(NOW, *keys[:15])
    account.page(NOW, *keys[15:])
    refuse(account)
    for minute in range(4):
        account.dispatch(ENDED + 60 * minute)
    assert account.dispatch(ENDED + 300) == DispatchReport()
    refuse(account, refuses=False)
    for minute in range(6):
        account.dispatch(ENDED + RETRY_SECONDS + 60 * minute)
    assert account.dispatch(ENDED + 2 * RETRY_SECONDS) == DispatchReport()
    ends = [each for each in account.sink.sent if each.attributes.get("event") == "resolved"]
    listed = [one["incident"] for each in ends for one in each.document.get("incidents", [each.document])]
    assert sorted(listed) == ["a", *keys]
