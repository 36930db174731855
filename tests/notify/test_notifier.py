"""The notification pipeline with several sinks: claims, failures and crashes affect one sink each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from flowwarden.errors import PublishFailed
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claiming import RESERVE_UNCLAIMED, UNANSWERED
from flowwarden.notify.claims import Claim, ClaimKey, ClaimTerms, Owner
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import Routes, notify
from flowwarden.notify.run import MAX_CLAIMS, RESERVE, Run
from tests.notify.fakes import CrashError, MemoryClaims, MemorySink

NOW = 1_764_000_000
TERMS = ClaimTerms(suppression=3600, lease=50)


def alert(key: str, route: Route = Route.PAGES) -> Alert:
    """An alert whose notification contains its key and the number of suppressed repeats."""

    def render(claim: Claim) -> Notification:
        return Notification(
            subject=key,
            text=f"{claim.suppressed_batches} held back",
            document={},
            attributes={"detector": key},
        )

    return Alert(key=key, route=route, title=f"{key} happened.", render=render)


def roll_up(alerts: Sequence[Alert]) -> Alert:
    """One alert whose key contains the keys of the first three alerts that it covers."""
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
    """The subjects that the sink received."""
    return [each.subject for each in sink.sent]


def test_an_alert_is_sent_to_each_sink_of_its_route_only() -> None:
    """Each sink receives its alerts in order."""
    bench = Bench()
    report = bench.notify(alert("o", Route.OPERATIONS), alert("a"), alert("b"))
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a", "b"], ["a", "b"])
    assert subjects(bench.operations) == ["o"]
    assert report.sent == ("o", "a", "b", "a", "b")
    report.raise_if_unsent()


def test_a_failing_sink_causes_no_loss_and_no_duplicate_in_another() -> None:
    """The other sink receives the page once; the retry sends only to the failed sink."""
    bench = Bench()
    bench.chat.away = True
    first = bench.notify(alert("a"), alert("b"))
    assert (subjects(bench.chat), subjects(bench.mail)) == ([], ["a", "b"])
    with pytest.raises(PublishFailed, match=r"2 notification\(s\) not sent.*a happened. refused"):
        first.raise_if_unsent()
    bench.chat.away = False
    bench.notify(alert("a"), alert("b"), attempt="2", after=60).raise_if_unsent()
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a", "b"], ["a", "b"])


def test_suppression_in_one_sink_does_not_affect_another() -> None:
    """Each sink has its own suppression window and its own count of repeats."""
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


def test_a_sink_that_hangs_does_not_delay_the_others() -> None:
    """After its first failure, it is retried after the others are done."""

    @dataclass
    class Hanging(MemorySink):
        """Takes 15 s, then fails."""

        def send(self, _notification: Notification) -> None:
            bench.seconds_left -= 15
            raise PublishFailed("no answer")

    bench = Bench()
    bench.chat = Hanging(name="chat")
    report = bench.notify(*(alert(each) for each in "abc"))
    assert subjects(bench.mail) == ["a", "b", "c"]
    reasons = ["no answer" in each for each in report.unsent]
    assert reasons == [True, True, False], "not as with 40 s, 25 s and less than the reserve left"


def test_a_crash_before_sending_to_the_second_sink_causes_no_duplicate_in_the_first() -> None:
    """After the lease ends, the retry sends only to the second sink."""
    bench = Bench()
    bench.mail.crash_before = True
    with pytest.raises(CrashError):
        bench.notify(alert("a"))
    bench.mail.crash_before = False
    early = bench.notify(alert("a"), attempt="2", after=TERMS.lease - 1)
    assert (len(early.unsent), subjects(bench.mail)) == (1, [])
    bench.notify(alert("a"), attempt="3", after=TERMS.lease).raise_if_unsent()
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a"], ["a"])


def test_a_crash_between_sending_and_marking_causes_a_duplicate_in_that_sink_only() -> None:
    """Delivery is at least once; the other sink is not affected."""
    bench = Bench()
    bench.mail.crash_after = True
    with pytest.raises(CrashError):
        bench.notify(alert("a"))
    bench.mail.crash_after = False
    bench.notify(alert("a"), attempt="2", after=60)
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a"], ["a", "a"])


def test_an_answer_that_is_always_lost_gives_two_copies() -> None:
    """In three deliveries. The last one fails with the reason, so the batch goes to the failure queue."""
    bench = Bench()
    bench.chat.unanswered = True
    reports = [
        bench.notify(alert("a"), attempt=str(after), after=after)
        for after in (0, TERMS.lease, 3 * TERMS.lease)
    ]
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a", "a"], ["a"])
    assert [len(each.unsent) for each in reports] == [1, 1, 1]
    assert UNANSWERED in reports[-1].unsent[0]
    other = bench.notify(alert("a"), batch="other", after=4 * TERMS.lease)
    assert (len(bench.chat.sent), other.in_progress, other.is_final) == (2, 1, False)


def test_an_answer_that_is_lost_once_gives_two_copies_and_suppresses_repeats() -> None:
    """The second copy is answered."""
    bench = Bench()
    bench.chat.unanswered = True
    bench.notify(alert("a"))
    bench.chat.unanswered = False
    bench.notify(alert("a"), attempt="2", after=TERMS.lease).raise_if_unsent()
    bench.notify(alert("a"), batch="other", after=4 * TERMS.lease).raise_if_unsent()
    assert subjects(bench.chat) == ["a", "a"]


def test_alerts_are_final_once_they_are_sent() -> None:
    """By this run or an earlier one; not while another batch is about to send them."""
    bench = Bench()
    assert bench.notify(alert("a")).is_final
    assert bench.notify(alert("a"), batch="second").is_final
    bench.claims.claim(ClaimRequest(ClaimKey("chat", "b"), Owner("third", "1"), NOW))
    assert not bench.notify(alert("b"), batch="fourth").is_final


def test_alerts_beyond_the_limit_are_rolled_up_for_each_sink() -> None:
    """A sink receives the roll-up of its own alerts, and a retry sends no duplicates."""
    bench = Bench()
    alerts = [alert("o", Route.OPERATIONS), *(alert(each) for each in "abcd")]
    report = bench.notify(*alerts, singly=2)
    for sink in (bench.chat, bench.mail):
        assert subjects(sink) == ["a", "b", "c+d"]
    assert subjects(bench.operations) == ["o"], "the only alert of this sink is rolled up"
    assert report.rolled_up == ("c happened.", "d happened.") * 2
    bench.notify(*alerts, attempt="2", after=60, singly=2)
    assert len(bench.chat.sent) == len(bench.mail.sent) == 3


def test_if_individual_notifications_are_disabled_all_new_alerts_are_rolled_up() -> None:
    """The roll-up does not contain alerts that were sent before."""
    bench = Bench()
    bench.notify(alert("b"), batch="first", singly=0)
    bench.notify(*(alert(each) for each in "abc"), batch="second", after=60, singly=0)
    assert subjects(bench.chat) == ["b", "a+c"]
    assert {key.incident for key in bench.claims.items} == {"a", "b", "c"}


def test_a_roll_up_that_one_sink_refuses_is_sent_by_the_retry() -> None:
    """The retry covers all its alerts."""
    bench = Bench()
    bench.chat.refuse = {"b+c"}
    assert len(bench.notify(*(alert(each) for each in "abc"), singly=1).unsent) == 2
    bench.chat.refuse = set()
    bench.notify(*(alert(each) for each in "abc"), attempt="2", after=60, singly=0).raise_if_unsent()
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a", "b+c"], ["a", "b+c"])


def test_the_number_of_claims_is_bounded_over_all_sinks() -> None:
    """A flood costs two writes per claim, also for the roll-ups."""
    bench = Bench()
    bench.notify(*(alert(str(number)) for number in range(MAX_CLAIMS + 50)))
    assert 2 * (MAX_CLAIMS - 2) <= bench.claims.calls <= 2 * MAX_CLAIMS


def test_an_unavailable_table_is_called_once_for_all_sinks() -> None:
    """Every alert is still sent to every sink."""
    bench = Bench()
    bench.claims.away = {"claim", "confirm"}
    report = bench.notify(alert("a"), alert("b"))
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a", "b"], ["a", "b"])
    assert (report.state_unavailable, bench.claims.calls) == (1, 1)


def test_no_alert_is_started_if_too_little_time_is_left() -> None:
    """The retry, with just enough time, sends it."""
    bench = Bench(seconds_left=RESERVE - 1)
    assert len(bench.notify(alert("a")).unsent) == 2
    assert bench.claims.calls == 0
    bench.seconds_left = RESERVE
    bench.notify(alert("a"), attempt="2").raise_if_unsent()


def test_several_alerts_are_rolled_up_if_there_is_no_time_for_each() -> None:
    """A retry would be as slow. They are claimed as long as there is time, and a repeat is suppressed."""
    bench = Bench(seconds_left=RESERVE - 1)
    bench.notify(alert("a"), alert("b")).raise_if_unsent()
    assert (subjects(bench.chat), subjects(bench.mail)) == (["a+b"], ["a+b"])
    bench.seconds_left = 40
    assert bench.notify(alert("a"), alert("b"), batch="next").sent == ()


def test_without_time_for_claims_a_roll_up_still_goes_out() -> None:
    """With too little time even for that, the batch is retried."""
    bench = Bench(seconds_left=RESERVE_UNCLAIMED)
    bench.notify(alert("a"), alert("b")).raise_if_unsent()
    assert (subjects(bench.chat), bench.claims.calls) == (["a+b"], 0)
    bench.seconds_left = RESERVE_UNCLAIMED - 1
    assert len(bench.notify(alert("a"), alert("b")).unsent) == 4


def test_a_sink_listed_twice_on_a_route_is_one_sink() -> None:
    """Sinks are identified by their names."""
    bench = Bench()
    run = Run(owner=Owner("batch", "1"), at=NOW, time_left=lambda: 40.0)
    notify([alert("a")], run, bench.claims, {Route.PAGES: (bench.chat, bench.chat)}, roll_up)
    assert subjects(bench.chat) == ["a"]
    assert list(bench.claims.items) == [ClaimKey("chat", "a")]


def test_a_route_without_sinks_sends_nothing_and_a_missing_route_is_an_error() -> None:
    """A missing route is a configuration error."""
    bench = Bench()
    run = Run(owner=Owner("batch", "1"), at=NOW, time_left=lambda: 40.0)
    assert notify([alert("a")], run, bench.claims, {Route.PAGES: ()}, roll_up) == DeliveryReport()
    with pytest.raises(KeyError):
        notify([alert("a")], run, bench.claims, {}, roll_up)


@pytest.mark.parametrize("singly", [0, 25])
def test_an_alert_with_its_own_window_is_suppressed_for_that_long(singly: int) -> None:
    """Sent on its own or in a roll-up; the other alert of the run keeps the stack's window."""
    month = 30 * 86_400
    alerts = [replace(alert("a"), quiet=month), alert("b")]
    bench = Bench()
    routes = {Route.PAGES: [bench.chat]}

    def known(now: int) -> list[bool]:
        run = Run(owner=Owner(str(now), "1"), at=now, time_left=lambda: 40.0)
        report = notify(alerts, run, bench.claims, routes, roll_up, singly=singly)
        return [f"{each.key} happened." not in report.suppressed for each in alerts]

    times = (NOW, NOW + TERMS.suppression, NOW + month - 1, NOW + month)
    assert [known(now) for now in times] == [[True, True], [False, True], [False, True], [True, False]]


class Pace:
    """Allows a number of claims."""

    def __init__(self, most: int) -> None:
        self.left = most

    def may_claim(self) -> bool:
        """Whether another claim is allowed."""
        self.left -= 1
        return self.left >= 0


@pytest.mark.parametrize("confirms_late", [False, True])
@pytest.mark.parametrize("most", [0, 3, 10, 11])
def test_what_was_claimed_is_confirmed_also_if_there_is_no_time_for_more_claims(
    most: int, *, confirms_late: bool
) -> None:
    """If the run leaves time for that. Otherwise the next run would send all of it again."""
    bench, pace = Bench(), Pace(most)
    run = Run(
        owner=Owner("batch", "1"), at=NOW, time_left=lambda: 300.0, reserve=0,
        may_claim=pace.may_claim, confirms_late=confirms_late,
    )  # fmt: skip
    keys = [f"a{number}" for number in range(10)]
    alerts = [alert(each, Route.OPERATIONS) for each in keys]
    report = notify(alerts, run, bench.claims, bench.routes, roll_up, singly=0)
    assert report.sent == tuple(keys)
    assert report.state_unavailable == (most <= len(keys))
    items = bench.claims.items.values()
    assert len(items) == min(most, len(keys))
    confirmed = [each for each in items if not each.pending]
    assert len(confirmed) == (len(items) if confirms_late or most > len(keys) else 0)
