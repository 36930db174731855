"""The dispatcher on the table (moto): what it sends, and what it never does, whatever fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from msgspec.structs import replace

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.incidents import DynamoDbIncidents
from flowwarden.aws.dynamodb.page_budget import DynamoDbPageBudget
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.dispatcher.dispatch import MOST_DUE, Dispatcher
from flowwarden.dispatcher.ends import SINGLY
from flowwarden.dispatcher.pending import Limited, with_budget
from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.dispatcher.report import DispatchReport
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import ClaimTerms, Owner
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import Incident
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import notify
from flowwarden.notify.page_budget import PageLimits
from flowwarden.notify.run import Run
from flowwarden.state import watermarks
from tests.aws.clients import make_state_table, shared
from tests.examples import examples
from tests.notify.fakes import CrashError, MemorySink

TERMS = ClaimTerms(suppression=14_400, lease=50)
NOW = 1_764_000_000
TABLE = "state"
WAIT = 1800
RUNBOOK = "https://runbooks.example/alert-rollup.md"
CRASHES = st.tuples(st.integers(0, 12), st.booleans())
"""At which call a run ends, and whether after it."""


def alert(key: str, seen: int, group: str = "group") -> Alert:
    """A finding that pages."""
    attributes = {"kind": "incident", "severity": "high", "account": "1", "region": "eu-west-1"}
    notification = Notification(
        subject=key, text=f"{key}\n", document={"incident": key}, attributes=attributes
    )
    return Alert(
        key=key,
        route=Route.PAGES,
        title=f"{key}.",
        render=lambda _: notification,
        evidence=Evidence(gravity=2),
        incident=Incident(
            title=f"{key}.",
            severity="high",
            detectors=("scan",),
            subject="10.0.0.5",
            log_group=group,
            last_seen=seen,
            resolve_after=WAIT,
            attributes=attributes,
        ),
    )


class Interrupted:
    """A port of which one call fails or ends the function, before or after it was made."""

    def __init__(self, inner: object, calls: Calls) -> None:
        self._inner, self._calls = inner, calls

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._inner, name)
        return self._calls.counted(member) if callable(member) else member


@dataclass
class Calls:
    """Counts the calls of a run, and ends it at one of them."""

    at: int = -1
    """The number of the call at which the function ends; -1 for none."""
    after: bool = False
    made: int = 0

    def counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call."""

        def made(*args: object, **kwargs: object) -> Any:
            mine, self.made = self.made, self.made + 1
            if mine == self.at and not self.after:
                raise CrashError
            answer = call(*args, **kwargs)
            if mine == self.at:
                raise CrashError
            return answer

        return made


@dataclass
class Account:
    """A monitor and a dispatcher on one table."""

    sink: MemorySink = field(default_factory=MemorySink)
    batches: int = 0
    limits: PageLimits = field(default_factory=PageLimits)

    def __post_init__(self) -> None:
        """The ports."""
        self.claims = DynamoDbClaims(shared("dynamodb"), TABLE, TERMS)
        self.incidents = DynamoDbIncidents(shared("dynamodb"), TABLE, TERMS.lease)
        self.evidence = DynamoDbEvidence(shared("dynamodb"), TABLE)
        self.pages = Limited(DynamoDbPageBudget(shared("dynamodb"), TABLE, self.limits), RUNBOOK)

    def page(self, now: int, *keys: str, calls: Calls | None = None, batch: str = "") -> None:
        """A batch with these incidents; the function can end at a call."""
        self.batches += 1
        calls = calls or Calls()
        owner = Owner(batch or f"batch-{self.batches}", str(self.batches))
        run = with_budget(Run(owner=owner, at=now, time_left=lambda: 60), self.pages)
        sink = self.sink if calls.at < 0 else Interrupted(self.sink, calls)
        claims = self.claims if calls.at < 0 else Interrupted(self.claims, calls)
        routes: Any = {Route.PAGES: (sink,)}
        alerts = [alert(each, now) for each in keys]
        try:
            notify(alerts, run, claims, routes, lambda rest: rest[0])
        except CrashError:
            return

    def records(self, *times: int, group: str = "group") -> None:
        """Records of these times were processed."""
        for each in times:
            self.evidence.add(watermarks.addition(group, watermarks.slot_of(each)))

    def dispatch(self, now: int, calls: Calls | None = None) -> DispatchReport | None:
        """A run of the dispatcher; None if the function ended."""
        self.batches += 1
        calls = calls or Calls()
        ports: Sequence[Any] = (self.incidents, self.claims, self.evidence)
        incidents, claims, evidence = ports if calls.at < 0 else [Interrupted(each, calls) for each in ports]
        sink: Any = self.sink if calls.at < 0 else Interrupted(self.sink, calls)
        dispatcher = Dispatcher(incidents, claims, evidence, {Route.PAGES: (sink,)}, self.pages)
        try:
            return dispatcher.run(f"d{self.batches}", now, lambda: 60)
        except CrashError:
            return None

    @property
    def events(self) -> list[tuple[str, str]]:
        """What was sent: the incident or its title, and the event."""
        return [(each.subject, each.attributes.get("event", "page")) for each in self.sink.sent]


@pytest.fixture
def account() -> Iterator[Account]:
    """An account without incidents."""
    with mock_aws():
        make_state_table(TABLE)
        yield Account()


def test_without_incidents_it_sends_nothing(account: Account) -> None:
    """One read of the index, no write."""
    assert account.dispatch(NOW) == DispatchReport()
    assert account.sink.sent == []


def test_a_page_whose_function_ended_is_sent_by_the_dispatcher(account: Account) -> None:
    """Within two minutes, once; a retry of the batch then finds that it was sent."""
    account.page(NOW, "a", calls=Calls(at=1), batch="b")
    assert account.events == []
    assert account.dispatch(NOW + TERMS.lease) == DispatchReport()
    report = account.dispatch(NOW + TERMS.lease + 60)
    assert report == DispatchReport(due=1, resent=1)
    account.page(NOW + 200, "a", batch="b")
    assert account.dispatch(NOW + 300) == DispatchReport()
    assert account.events == [("a", "page")]


class Poisoned(DynamoDbIncidents):
    """Open incidents of which one causes a fault."""

    def take(self, incident: OpenIncident, owner: Owner, now: int) -> bool:
        """See the port."""
        if incident.key.incident == "a":
            raise IndexError("by the test")
        return super().take(incident, owner, now)


def test_an_incident_that_causes_a_fault_keeps_no_other_from_being_sent(account: Account) -> None:
    """It comes first in each run. The runs count as failed, which an alarm reports."""
    for key in "ab":
        account.page(NOW, key, calls=Calls(at=1))
    account.incidents = Poisoned(shared("dynamodb"), TABLE, TERMS.lease)
    report = account.dispatch(NOW + TERMS.lease + 60)
    assert report == DispatchReport(due=2, resent=1, unsent=("a. IndexError('by the test')",))
    assert account.events == [("b", "page")]


def test_a_page_that_was_sent_is_not_sent_again(account: Account) -> None:
    """Its claim is confirmed."""
    account.page(NOW, "a")
    assert account.dispatch(NOW + 600) == DispatchReport()
    assert account.events == [("a", "page")]


def test_an_incident_is_resolved_once_records_go_on(account: Account) -> None:
    """By the time of the records: a dispatcher that runs late resolves no earlier and no later."""
    account.page(NOW, "a")
    account.records(NOW + WAIT - 601)
    assert account.dispatch(NOW + WAIT + 840) == DispatchReport()
    assert account.dispatch(NOW + WAIT + 900) == DispatchReport(due=1)
    account.records(NOW + WAIT + 600)
    assert account.dispatch(NOW + WAIT + 1500) == DispatchReport(due=1, resolved=1)
    assert account.dispatch(NOW + WAIT + 1560) == DispatchReport()
    assert account.events == [("a", "page"), ("[RESOLVED] a", "resolved")]


def test_an_incident_of_a_silent_log_group_is_not_resolved(account: Account) -> None:
    """Records of another log group do not count."""
    account.page(NOW, "a")
    account.records(NOW + WAIT + 6000, group="other")
    for minute in range(0, 600, 10):
        account.dispatch(NOW + WAIT + 60 * minute)
    assert account.events == [("a", "page")]


def test_many_incidents_that_end_together_are_one_notification(account: Account) -> None:
    """Which lists them; up to `SINGLY` are sent singly."""
    keys = [f"i{number}" for number in range(SINGLY + 1)]
    account.page(NOW, *keys)
    account.records(NOW + WAIT + 600)
    report = account.dispatch(NOW + WAIT + 900)
    assert report == DispatchReport(due=len(keys), resolved=len(keys))
    *_, last = account.sink.sent
    assert len(account.sink.sent) == len(keys) + 1
    assert [each["incident"] for each in last.document["incidents"]] == keys
    assert account.dispatch(NOW + WAIT + 10**5) == DispatchReport()


def test_a_sink_that_refuses_gets_the_notification_later(account: Account) -> None:
    """The incident stays due until it was reported; it is resolved meanwhile."""
    account.page(NOW, "a")
    account.records(NOW + WAIT + 600)
    account.sink.away = True
    report = account.dispatch(NOW + WAIT + 900)
    assert report is not None
    assert (report.resolved, len(report.unsent)) == (1, 1)
    account.sink.away = False
    assert account.dispatch(NOW + WAIT + 960) == DispatchReport(due=1)
    assert account.events[-1] == ("[RESOLVED] a", "resolved")


def test_it_stops_when_its_time_is_nearly_over(account: Account) -> None:
    """What is left stays due."""
    account.page(NOW, "a", "b")
    account.records(NOW + WAIT + 600)
    dispatcher = Dispatcher(
        account.incidents, account.claims, account.evidence, {Route.PAGES: (account.sink,)}
    )
    assert dispatcher.run("x", NOW + WAIT + 900, lambda: 5) == DispatchReport(due=2, left=2)
    assert account.dispatch(NOW + WAIT + 960) == DispatchReport(due=2, resolved=2)
    assert MOST_DUE >= 2


@examples(0.3)
@given(
    paging=st.lists(CRASHES, max_size=3),
    closing=st.lists(CRASHES, max_size=3),
    retried=st.booleans(),
)
def test_each_crash_repeats_a_notification_at_most_once(
    paging: list[tuple[int, bool]], closing: list[tuple[int, bool]], *, retried: bool
) -> None:
    """Runs that end at any call, before or after it: the page and its end arrive, once more per crash."""
    with mock_aws():
        make_state_table(TABLE)
        account, now = Account(), NOW
        for at, after in paging:
            account.page(now, "a", calls=Calls(at, after), batch="b" if retried else "")
            now += TERMS.lease + 10
        for _ in range(30):  # nothing else crashes: minutes go by
            now += 60
            account.dispatch(now)
        if not account.sink.sent:
            account.page(now, "a", batch="b")
        pages = len(account.sink.sent)
        assert 1 <= pages <= 1 + len(paging)
        end = now + WAIT + watermarks.SLOT  # of a slot, only its begin is known
        account.records(end)
        for at, after in closing:
            account.dispatch(end, Calls(at, after))
            end += 60
        for _ in range(60):  # it is checked when records of the next slot can have arrived
            end += 60
            account.dispatch(end)
        resolved = [event for _, event in account.events if event == "resolved"]
        assert 1 <= len(resolved) <= 1 + len(closing)
        assert account.dispatch(end + 10**6) == DispatchReport()


def test_two_runs_at_once_send_once(account: Account) -> None:
    """Both have read that the page is pending, and that the incident is over."""
    account.page(NOW, "a", calls=Calls(at=1))
    account.page(NOW, "b")
    account.records(NOW + WAIT + 600)
    now = NOW + WAIT + 900
    slow = Dispatcher(
        _Stale(account.incidents, account.incidents.due(now, 10)),
        account.claims,
        account.evidence,
        {Route.PAGES: (account.sink,)},
    )
    account.dispatch(now)
    slow.run("slow", now, lambda: 60)
    assert sorted(account.events) == [("[RESOLVED] b", "resolved"), ("a", "page"), ("b", "page")]


class _Stale:
    """The incidents as they were read earlier."""

    def __init__(self, inner: DynamoDbIncidents, due: Sequence[Any]) -> None:
        self._inner, self._due = inner, [replace(each) for each in due]

    def due(self, _now: int, _most: int) -> Sequence[Any]:
        """What was read."""
        return self._due

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
