"""Pages beyond the budget: held, reported in one roll-up an hour and sink, and never lost silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from flowwarden.notify import held
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import Claim, ClaimKey, ClaimTerms, Owner
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import Incident
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import Routes, notify
from flowwarden.notify.page_budget import Limit, Page, PageLimits
from flowwarden.notify.run import RESERVE, Budgeted, Run
from flowwarden.state.sets import DAY, HOUR
from tests.notify.fakes import CrashError, MemoryClaims, MemorySink
from tests.notify.fakes_budget import MemoryPageBudget

NOON = 1_764_000_000 // DAY * DAY + 12 * HOUR
TERMS = ClaimTerms(suppression=4 * HOUR, lease=50)
PLACE = held.Place(account="111122223333", region="eu-west-1")
LIMITS = PageLimits(hour=2, day=5, critical_hour=2)
GRAVITY = {"high": 2, "critical": 3}


def alert(key: str, severity: str = "high", route: Route = Route.PAGES) -> Alert:
    """An alert about an incident with this severity; its subject is its key."""
    incident = Incident(
        title=f"{key} happened.", severity=severity, detectors=("scan",), subject=key, log_group="group",
        last_seen=NOON, resolve_after=1800, attributes={"kind": "incident"},
    )  # fmt: skip
    sent = Notification(subject=key, text="text", document={}, attributes={"detector": key})
    return Alert(
        key=key,
        route=route,
        title=f"{key} happened.",
        render=lambda _: sent,
        incident=incident,
        evidence=Evidence(gravity=GRAVITY[severity]),
    )


def roll_up(alerts: Sequence[Alert]) -> Alert:
    """The roll-up of a batch, whose key contains all keys that it covers."""
    return replace(alert("+".join(each.key for each in alerts)), incident=None, evidence=None)


@dataclass
class Bench:
    """Two sinks for pages, one for operations, one table."""

    limits: PageLimits = LIMITS
    chat: MemorySink = field(default_factory=lambda: MemorySink(name="chat"))
    mail: MemorySink = field(default_factory=lambda: MemorySink(name="mail"))
    operations: MemorySink = field(default_factory=lambda: MemorySink(name="operations"))
    claims: MemoryClaims = field(default_factory=lambda: MemoryClaims(TERMS))
    pages: MemoryPageBudget = field(init=False)
    seconds_left: float = 40.0
    most_asked: int = 32
    most_claims: int = 60

    def __post_init__(self) -> None:
        self.pages = MemoryPageBudget(self.limits)

    @property
    def routes(self) -> Routes:
        """Pages go to chat first, then to mail."""
        return {Route.PAGES: (self.chat, self.mail), Route.OPERATIONS: (self.operations,)}

    def notify(
        self, *alerts: Alert, batch: str = "batch", attempt: str = "1", after: int = 0, singly: int = 25
    ) -> DeliveryReport:
        """One run, `after` seconds from noon."""
        now = NOON + after

        def about(several: Sequence[Alert], limit: Limit) -> Alert:
            return held.roll_up(several, limit, PLACE, now)

        budget = Budgeted(pages=self.pages, roll_up=about, most_asked=self.most_asked)
        run = Run(
            owner=Owner(batch, attempt), at=now, time_left=lambda: self.seconds_left,
            most_claims=self.most_claims, budget=budget,
        )  # fmt: skip
        return notify(alerts, run, self.claims, self.routes, roll_up, singly=singly)

    def incident(self, key: str, sink: str = "chat") -> Incident:
        """The incident as it is stored."""
        found = self.claims.items[ClaimKey(sink, key)].incident
        assert found is not None
        return found


def alerts(names: str, severity: str = "high") -> list[Alert]:
    """One alert for each letter."""
    return [alert(each, severity) for each in names]


def subjects(sink: MemorySink) -> list[str]:
    """The subjects of single pages; `held: a, b` for the roll-up."""
    return [
        f"held: {', '.join(title[0] for title in each.document['listed'])}"
        if "limit" in each.document
        else each.subject
        for each in sink.sent
    ]


def test_pages_beyond_the_budget_are_in_one_roll_up() -> None:
    """For each sink. The rest is as if they were sent: the run is final, and nothing is pending."""
    bench = Bench()
    report = bench.notify(*alerts("abcd"))
    assert subjects(bench.chat) == subjects(bench.mail) == ["a", "b", "held: c, d"]
    assert report.held == ("c happened.", "d happened.") * 2
    assert report.is_final
    assert {"c", "d"} <= set(report.sent)
    assert not any(each.pending for each in bench.claims.items.values())


def test_a_held_incident_is_open_and_marked() -> None:
    """And its repeats are suppressed; a page that was sent is not marked."""
    bench = Bench()
    bench.notify(*alerts("abc"))
    assert [bench.incident(each).held for each in "abc"] == [False, False, True]
    assert bench.claims.items[ClaimKey("chat", "c")].check_at is not None, "the dispatcher looks at it"
    report = bench.notify(alert("c"), batch="later", after=600)
    assert (report.suppressed, report.held) == (("c happened.",) * 2, ())
    assert len(bench.chat.sent) == 3


def test_the_roll_up_is_sent_once_an_hour() -> None:
    """Later in the hour, held pages stay pending; the next hour begins with pages again."""
    bench = Bench()
    bench.notify(*alerts("abc"))
    second = bench.notify(*alerts("de"), batch="second", after=600)
    assert subjects(bench.chat) == ["a", "b", "held: c"]
    assert second.held == ("d happened.", "e happened.") * 2
    assert second.is_final
    for each in "de":
        item = bench.claims.items[ClaimKey("chat", each)]
        assert (item.pending, item.check_at is not None) == (True, True)
        assert item.unsent is not None
    bench.notify(*alerts("fghi"), batch="third", after=HOUR)
    assert subjects(bench.chat)[3:] == ["f", "g", "held: h, i"]


def test_the_budget_of_the_day_ends_with_the_day() -> None:
    """Until midnight (UTC), each hour has at most a roll-up."""
    bench = Bench()
    names = iter("abcdefghijklmnopqrstuvwxyz")
    for hour in range(4):
        bench.notify(*alerts(next(names) + next(names)), batch=f"b{hour}", after=hour * HOUR)
    assert subjects(bench.chat) == ["a", "b", "c", "d", "e", "held: f", "held: g, h"]
    assert "The budget of 5 pages a day is spent" in bench.chat.sent[-1].subject
    bench.notify(*alerts("x"), batch="tomorrow", after=12 * HOUR)
    assert subjects(bench.chat)[-1] == "x"


def test_critical_incidents_have_a_budget_and_a_roll_up_of_their_own() -> None:
    """Most severe first: none of them waits for the others' budget, or takes from it."""
    bench = Bench()
    report = bench.notify(*alerts("ABC", "critical"), *alerts("abc"))
    assert subjects(bench.chat) == ["A", "B", "a", "b", "held: C", "held: c"]
    assert [each.attributes["severity"] for each in bench.chat.sent[-2:]] == ["critical", "high"]
    assert set(report.held) == {"C happened.", "c happened."}


def test_a_held_incident_that_becomes_critical_pages() -> None:
    """From the critical budget, also if the other one is spent."""
    bench = Bench()
    bench.notify(*alerts("abc"))
    bench.notify(alert("c", "critical"), batch="worse", after=600)
    assert subjects(bench.chat) == ["a", "b", "held: c", "c"]
    assert not bench.incident("c").held


def test_a_repeat_after_the_window_takes_another_page() -> None:
    """It is another notification of the incident."""
    bench = Bench()
    bench.notify(*alerts("ab"))
    bench.notify(*alerts("abc"), batch="later", after=5 * HOUR)
    assert subjects(bench.chat) == ["a", "b", "a", "b", "held: c"]


def test_a_refused_page_is_counted_once() -> None:
    """Its retry, and another batch with the same incident, take no further page."""
    bench = Bench()
    bench.chat.away = True
    assert len(bench.notify(*alerts("ab")).unsent) == 2
    bench.chat.away = False
    bench.notify(alert("a"), batch="other", after=60)
    bench.notify(*alerts("ab"), attempt="2", after=120)
    bench.notify(alert("c"), batch="third", after=180)
    assert subjects(bench.chat) == ["a", "b", "held: c"]
    assert subjects(bench.mail) == ["a", "b", "held: c"]


def test_a_refused_roll_up_is_sent_by_the_retry() -> None:
    """Its incidents are not confirmed before."""
    bench = Bench()
    bench.chat.refuse = {"alert-rollup"}
    report = bench.notify(*alerts("abc"))
    assert [each.split(".")[0] for each in report.unsent][1:] == ["c happened"]
    bench.chat.refuse = set()
    bench.notify(*alerts("abc"), attempt="2", after=60).raise_if_unsent()
    assert subjects(bench.chat) == ["a", "b", "held: c"]


def test_a_crash_before_the_confirmation_sends_no_second_roll_up() -> None:
    """The retry finds that it was sent. The dispatcher lists the rest later, once more."""

    class Crashing(MemoryClaims):
        """Ends when an incident is confirmed."""

        def confirm(self, request: ClaimRequest) -> None:
            if request.key == ClaimKey("chat", "c") and not crashed:
                crashed.append(request.key)
                raise CrashError
            super().confirm(request)

    crashed: list[ClaimKey] = []
    bench = Bench(claims=Crashing(TERMS))
    with pytest.raises(CrashError):
        bench.notify(*alerts("abc"))
    bench.notify(*alerts("abc"), attempt="2", after=60).raise_if_unsent()
    assert subjects(bench.chat) == ["a", "b", "held: c"]
    assert bench.claims.items[ClaimKey("chat", "c")].pending
    assert bench.incident("c", "mail").held


def test_a_page_that_no_roll_up_of_its_batch_lists_stays_pending() -> None:
    """One delivery ends after it has claimed `c`. Another delivery of the batch lists only `d`."""

    class Crashing(MemoryPageBudget):
        """Ends when a page is held for the first time."""

        def take(self, page: Page, now: int) -> Limit | None:
            limit = super().take(page, now)
            if limit is not None and not crashed:
                crashed.append(page.key.incident)
                raise CrashError
            return limit

    crashed: list[str] = []
    bench = Bench()
    bench.pages = Crashing(bench.limits)
    with pytest.raises(CrashError):
        bench.notify(*alerts("abcd"))
    assert crashed == ["c"]
    bench.notify(*alerts("abcd"), attempt="2", after=1)
    assert subjects(bench.chat) == ["a", "b", "held: d"]
    bench.notify(*alerts("abcd"), attempt="3", after=60).raise_if_unsent()
    assert subjects(bench.chat) == ["a", "b", "held: d"]
    assert bench.claims.items[ClaimKey("chat", "c")].pending
    assert not bench.claims.items[ClaimKey("chat", "d")].pending


@pytest.mark.parametrize("away", ["budget", "claims"])
def test_without_the_table_every_page_goes_out(away: str) -> None:
    """A page too many is better than a missing one."""
    bench = Bench()
    bench.pages.away = away == "budget"
    bench.claims.away = {"claim"} if away == "claims" else set()
    report = bench.notify(*alerts("abcd"))
    assert subjects(bench.chat) == ["a", "b", "c", "d"]
    assert report.state_unavailable
    assert report.held == ()


def test_a_run_with_little_time_sends_without_asking() -> None:
    """Asking could take the time in which the page can still be sent."""
    bench = Bench()
    bench.notify(*alerts("ab"))

    class Slow(MemoryClaims):
        """Takes seconds."""

        def claim(self, request: ClaimRequest) -> Claim:
            bench.seconds_left = RESERVE - 1
            return super().claim(request)

    bench.claims = Slow(TERMS, items=bench.claims.items)
    bench.notify(alert("c"), batch="second")
    assert "c" in subjects(bench.chat)


def test_operations_have_no_budget() -> None:
    """Nor is their roll-up counted."""
    bench = Bench()
    bench.notify(*(alert(each, route=Route.OPERATIONS) for each in "abcdef"))
    assert subjects(bench.operations) == [*"abcdef"]
    assert bench.pages.calls == 0


def test_a_batch_asks_once_more_than_it_gets() -> None:
    """After the first refusal of a kind, the others of the batch are held without a call."""
    bench = Bench()
    bench.notify(*alerts("abcdefgh"))
    assert bench.pages.calls == 2 * 3


def test_beyond_the_calls_of_a_batch_a_roll_up_covers_the_rest() -> None:
    """As beyond the single notifications of a batch. It is not counted."""
    bench = Bench(limits=PageLimits(hour=30), most_asked=6)
    bench.notify(*alerts("abcdef"))
    assert subjects(bench.chat) == ["a", "b", "c", "d+e+f"]
    assert bench.pages.calls == 6


def test_alerts_to_operations_take_no_calls_from_pages() -> None:
    """They have no budget, so a batch with one of them asks for as many pages."""
    bench = Bench(limits=PageLimits(hour=30), most_asked=6)
    bench.notify(alert("x", route=Route.OPERATIONS), *alerts("abcdef"))
    assert subjects(bench.chat) == ["a", "b", "c", "d+e+f"]


def test_the_roll_up_of_a_batch_covers_held_pages_too() -> None:
    """If it is sent anyway: one notification instead of two. They are marked, too."""
    bench = Bench(limits=PageLimits(critical_hour=1))
    report = bench.notify(*alerts("AB", "critical"), *alerts("cde"), singly=2)
    assert subjects(bench.chat) == ["A", "c", "d+e+B"]
    assert report.held == ("B happened.",) * 2
    assert bench.incident("B").held


def test_without_limits_nothing_changes() -> None:
    """And nothing is stored."""
    bench = Bench(limits=PageLimits())
    bench.notify(*alerts("abcdefgh"))
    assert subjects(bench.chat) == [*"abcdefgh"]
    assert bench.pages.counted == {}


def test_the_calls_of_a_batch_stay_within_its_claims() -> None:
    """Two for each claim, and those to the budget, roll-ups included."""
    bench = Bench(most_claims=20, most_asked=16)
    bench.notify(*(alert(f"n{each}") for each in range(100)))
    assert bench.claims.calls <= 2 * 20
    assert bench.pages.calls <= 16
