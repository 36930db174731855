"""The pipeline of notifications with several sinks: claims, failures and crashes belong to one sink each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from flowwarden.errors import PublishFailed
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import Claim, ClaimKey, ClaimTerms, Owner
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import MAX_CLAIMS, RESERVE, Routes, Run, notify
from tests.notify.fakes import CrashError, MemoryClaims, MemorySink

NOW = 1_764_000_000
TERMS = ClaimTerms(quiet=3600, lease=50)


def alert(key: str, route: Route = Route.PAGES) -> Alert:
    """An alert whose notification says its key and what was held back."""

    def render(claim: Claim) -> Notification:
        return Notification(
            subject=key, text=f"{claim.held_back} held back", document={}, attributes={"detector": key}
        )

    return Alert(key=key, route=route, title=f"{key} happened.", render=render)


def roll_up(alerts: Sequence[Alert]) -> Alert:
    """One alert whose key names all that it stands for."""
    return alert("+".join(each.key for each in alerts[:3]))


@dataclass
class Bench:
    """Two sinks for pages, one for operations, and one table."""

    chat: MemorySink = field(default_factory=lambda: MemorySink(name="chat"))
    mail: MemorySink = field(default_factory=lambda: MemorySink(name="mail"))
    operations: MemorySink = field(default_factory=lambda: MemorySink(name="operations"))
    claims: MemoryClaims = field(default_factory=lambda: MemoryClaims(TERMS))
    seconds_left: float = 40.0

    @property
    def routes(self) -> Routes:
        """Pages go to chat first, then to mail."""
        return {Route.PAGES: (self.chat, self.mail), Route.OPERATIONS: (self.operations,)}

    def notify(
        self, *alerts: Alert, batch: str = "batch", attempt: str = "1", after: int = 0, singly: int = 25
    ) -> DeliveryReport:
        """One run, `after` seconds from the first."""
        run = Run(owner=Owner(batch, attempt), at=NOW + after, time_left=lambda: self.seconds_left)
        return notify(alerts, run, self.claims, self.routes, roll_up, singly=singly)


def subjects(sink: MemorySink) -> list[str]:
    """What the sink was sent."""
    return [each.subject for each in sink.sent]


def test_an_alert_goes_to_each_sink_of_its_route_and_to_no_other() -> None:
    """In the order of the alerts."""
    bench = Bench()
    report = bench.notify(alert("o", Route.OPERATIONS), alert("a"), alert("b"))
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a", "b"], ["a", "b"])
    assert subjects(bench.operations) == ["o"]
    assert report.sent == ("o", "a", "b", "a", "b")
    report.raise_if_unsent()


def test_a_sink_that_fails_neither_loses_nor_repeats_what_another_sends() -> None:
    """The other sink gets the page once; the retry sends only to the one that failed."""
    bench = Bench()
    bench.chat.away = True
    first = bench.notify(alert("a"), alert("b"))
    assert (subjects(bench.chat), subjects(bench.mail)) == ([], ["a", "b"])
    with pytest.raises(PublishFailed, match=r"2 notification\(s\) not sent.*a happened. refused"):
        first.raise_if_unsent()
    bench.chat.away = False
    bench.notify(alert("a"), alert("b"), attempt="2", after=60).raise_if_unsent()
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a", "b"], ["a", "b"])


def test_a_sink_that_is_suppressed_does_not_hold_another_back() -> None:
    """Each sink has its own quiet time, and its own count of repeats."""
    bench = Bench()
    bench.chat.refuse = {"a"}
    bench.notify(alert("a"), batch="first")
    bench.chat.refuse = set()
    report = bench.notify(alert("a"), batch="second", after=60)
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a"], ["a"])
    assert (report.sent, report.suppressed) == (("a",), ("a happened.",))
    late = bench.notify(alert("a"), batch="third", after=3600)
    assert (len(late.sent), len(late.suppressed)) == (1, 1)
    assert [each.text for each in bench.mail.sent] == ["0 held back", "1 held back"]


def test_a_sink_that_hangs_takes_no_time_from_the_others() -> None:
    """After its first failure it waits until the others are done."""

    @dataclass
    class Hanging(MemorySink):
        """Takes time, and refuses."""

        def send(self, _notification: Notification) -> None:
            bench.seconds_left -= 15
            raise PublishFailed("no answer")

    bench = Bench()
    bench.chat = Hanging(name="chat")
    report = bench.notify(*(alert(each) for each in "abc"))
    assert subjects(bench.mail) == ["a", "b", "c"]
    reasons = ["no answer" in each for each in report.unsent]
    assert reasons == [True, True, False], "40 s, 25 s, then less than the reserve"


def test_a_crash_before_sending_to_the_second_sink_repeats_nothing_at_the_first() -> None:
    """The lease ends, then the retry sends what is missing."""
    bench = Bench()
    bench.mail.crash_before = True
    with pytest.raises(CrashError):
        bench.notify(alert("a"))
    bench.mail.crash_before = False
    early = bench.notify(alert("a"), attempt="2", after=TERMS.lease - 1)
    assert (len(early.unsent), subjects(bench.mail)) == (1, [])
    bench.notify(alert("a"), attempt="3", after=TERMS.lease).raise_if_unsent()
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a"], ["a"])


def test_a_crash_between_sending_and_marking_repeats_at_that_sink_alone() -> None:
    """At least once, and the other sink is not affected."""
    bench = Bench()
    bench.mail.crash_after = True
    with pytest.raises(CrashError):
        bench.notify(alert("a"))
    bench.mail.crash_after = False
    bench.notify(alert("a"), attempt="2", after=60)
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a"], ["a", "a"])


def test_what_is_beyond_the_limit_is_rolled_up_for_each_sink() -> None:
    """A sink gets the roll-up of its own alerts, and a retry sends nothing twice."""
    bench = Bench()
    alerts = [alert("o", Route.OPERATIONS), *(alert(each) for each in "abcd")]
    report = bench.notify(*alerts, singly=2)
    for sink in (bench.chat, bench.mail):
        assert subjects(sink) == ["a", "b", "c+d"]
    assert subjects(bench.operations) == ["o"], "its one alert is within its own limit"
    assert report.rolled_up == ("c happened.", "d happened.") * 2
    bench.notify(*alerts, attempt="2", after=60, singly=2)
    assert len(bench.chat.sent) == len(bench.mail.sent) == 3


def test_with_no_limit_of_single_ones_all_that_is_new_is_one_notification() -> None:
    """And what was sent before is not in it."""
    bench = Bench()
    bench.notify(alert("b"), batch="first", singly=0)
    bench.notify(*(alert(each) for each in "abc"), batch="second", after=60, singly=0)
    assert subjects(bench.chat) == ["b", "a+c"]
    assert {key.incident for key in bench.claims.items} == {"a", "b", "c"}


def test_a_roll_up_that_one_sink_refuses_is_left_to_its_retry() -> None:
    """All that it stands for."""
    bench = Bench()
    bench.chat.refuse = {"b+c"}
    assert len(bench.notify(*(alert(each) for each in "abc"), singly=1).unsent) == 2
    bench.chat.refuse = set()
    bench.notify(*(alert(each) for each in "abc"), attempt="2", after=60, singly=0).raise_if_unsent()
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a", "b+c"], ["a", "b+c"])


def test_alerts_beyond_what_is_claimed_are_bounded_for_each_sink() -> None:
    """A flood costs two writes for each claim, and two for the roll-up."""
    bench = Bench()
    bench.notify(*(alert(str(number)) for number in range(MAX_CLAIMS + 50)))
    assert bench.claims.calls == 2 * 2 * (MAX_CLAIMS + 1)


def test_a_table_that_does_not_answer_is_asked_once_for_all_sinks() -> None:
    """Every alert goes to every sink all the same."""
    bench = Bench()
    bench.claims.away = {"claim", "confirm"}
    report = bench.notify(alert("a"), alert("b"))
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a", "b"], ["a", "b"])
    assert (report.state_unavailable, bench.claims.calls) == (1, 1)


def test_without_time_nothing_is_begun() -> None:
    """The retry sends it; with just enough time it is sent."""
    bench = Bench(seconds_left=RESERVE - 1)
    assert len(bench.notify(alert("a")).unsent) == 2
    assert bench.claims.calls == 0
    bench.seconds_left = RESERVE
    bench.notify(alert("a"), attempt="2").raise_if_unsent()


def test_a_sink_that_stands_twice_on_a_route_is_one() -> None:
    """Sinks are known by their names."""
    bench = Bench()
    run = Run(owner=Owner("batch", "1"), at=NOW, time_left=lambda: 40.0)
    notify([alert("a")], run, bench.claims, {Route.PAGES: (bench.chat, bench.chat)}, roll_up)
    assert subjects(bench.chat) == ["a"]
    assert list(bench.claims.items) == [ClaimKey("chat", "a")]


def test_a_route_without_sinks_sends_nothing_and_an_unknown_one_is_an_error() -> None:
    """That a route is left out is a mistake in the wiring."""
    bench = Bench()
    run = Run(owner=Owner("batch", "1"), at=NOW, time_left=lambda: 40.0)
    assert notify([alert("a")], run, bench.claims, {Route.PAGES: ()}, roll_up) == DeliveryReport()
    with pytest.raises(KeyError):
        notify([alert("a")], run, bench.claims, {}, roll_up)
