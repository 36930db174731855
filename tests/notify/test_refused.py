"""A sink that refuses a notification neither loses nor repeats those of others, and is not asked again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pytest

from flowwarden.errors import PublishFailed, PublishRefused
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import ClaimTerms, Owner
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import notify
from flowwarden.notify.run import Run
from tests.dispatcher.lives.scenario import alert_of
from tests.notify.fakes import MemoryClaims, MemorySink

NOW: Final = 1_764_000_000
TERMS: Final = ClaimTerms(suppression=3600, lease=50)


@dataclass
class Picky(MemorySink):
    """A sink that can refuse for good."""

    error: PublishFailed | None = None
    asked: int = 0

    def send(self, notification: Notification) -> None:
        """See the port."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        super().send(notification)


class Stack:
    """A topic, and two services."""

    def __init__(self) -> None:
        self.claims = MemoryClaims(TERMS)
        self.topic, self.chat, self.pager = (Picky(name=each) for each in ("sns:pages", "slack", "pagerduty"))
        self.batch = 0

    def send(self, *alerts: Alert, again: bool = False, at: int = NOW) -> DeliveryReport:
        """A batch; `again`: another attempt at the last one."""
        self.batch += not again
        run = Run(owner=Owner(str(self.batch), f"{self.batch} {again}"), at=at, time_left=lambda: 60.0)
        routes = {Route.PAGES: (self.topic, self.chat, self.pager)}
        return notify(list(alerts), run, self.claims, routes, lambda rest: rest[0])


def test_a_refused_notification_is_reported_and_the_others_get_theirs() -> None:
    """The batch does not fail: a retry would be refused, too."""
    stack = Stack()
    stack.chat.error = PublishRefused("Slack answered with status 404: no_service")
    done = stack.send(alert_of("a", "high", 2, NOW))
    assert done.refused == ("a. Slack answered with status 404: no_service",)
    assert (done.unsent, done.is_final, done.published) == ((), True, 2)
    assert len(stack.topic.sent) == len(stack.pager.sent) == 1
    stack.send(alert_of("a", "high", 2, NOW), again=True, at=NOW + 60)
    stack.send(alert_of("a", "high", 2, NOW), at=NOW + 120)
    assert (stack.chat.asked, len(stack.topic.sent), len(stack.pager.sent)) == (1, 1, 1)


def test_the_next_update_is_sent_again() -> None:
    """Once the cause is mended, the incident reaches the service."""
    stack = Stack()
    stack.chat.error = PublishRefused("refused")
    stack.send(alert_of("a", "high", 2, NOW))
    stack.chat.error = None
    stack.send(alert_of("a", "high", 3, NOW + 120), at=NOW + 120)
    assert len(stack.chat.sent) == 1
    assert len(stack.topic.sent) == len(stack.pager.sent) == 2


def test_a_roll_up_that_is_refused_is_final_too() -> None:
    """All its alerts are."""
    stack = Stack()
    stack.chat.error = PublishRefused("refused")
    many = [alert_of(str(number), "high", 2, NOW) for number in range(30)]
    done = stack.send(*many)
    assert not done.unsent
    asked = stack.chat.asked
    assert stack.send(*many, again=True, at=NOW + 60).is_final
    assert stack.chat.asked == asked


@pytest.mark.parametrize("failing", ["sns:pages", "slack", "pagerduty"])
def test_one_that_fails_delays_no_other_and_is_retried_alone(failing: str) -> None:
    """Whichever it is."""
    stack = Stack()
    sinks = {each.name: each for each in (stack.topic, stack.chat, stack.pager)}
    sinks[failing].error = PublishFailed("no connection")
    done = stack.send(alert_of("a", "high", 2, NOW), alert_of("b", "high", 2, NOW))
    assert len(done.unsent) == 2
    assert {name: len(each.sent) for name, each in sinks.items()} == {
        name: 0 if name == failing else 2 for name in sinks
    }
    sinks[failing].error = None
    stack.send(alert_of("a", "high", 2, NOW), alert_of("b", "high", 2, NOW), again=True, at=NOW + 60)
    assert {len(each.sent) for each in sinks.values()} == {2}
