"""A slow table and a slow EC2 delay no page: what a batch can do without has a budget of seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.errors import InterfacesUnavailable, LogFormatsUnavailable, StateUnavailable
from flowwarden.monitor.budget import Budget
from flowwarden.monitor.pipeline import CLAIM_SECONDS, LOOKUP_SECONDS, Invocation
from flowwarden.monitor.remember import REMEMBER_SECONDS
from flowwarden.monitor.report import BatchReport
from flowwarden.notify.claims import ClaimTerms
from flowwarden.notify.notifier import MAX_SINGLE
from flowwarden.policy.policy import Policy
from flowwarden.records.subscription import LogBatch
from tests.examples import examples
from tests.monitor.fakes_interfaces import FakeDirectory
from tests.monitor.fakes_log_formats import FakeFormats, MemoryLogFormats
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.test_pipeline import NOW, batch
from tests.notify.fakes import MemoryClaims, MemorySink

TIMEOUT = 40.0
HOSTS = 30


@dataclass
class Clock:
    """The time of one invocation: only calls take any."""

    used: float = 0.0
    calls: int = 0

    def left(self) -> float:
        """Seconds until Lambda stops the function."""
        return TIMEOUT - self.used

    def port(self, port: Any, seconds: float, error: Exception | None = None) -> Any:
        """The port, with calls that take some seconds, and then fail if there is an error."""
        return _Slow(self, port, seconds, error)

    def take(self, seconds: float) -> None:
        """Let time pass for a call."""
        self.calls += 1
        self.used += seconds


@dataclass
class _Slow:
    clock: Clock
    port: Any
    seconds: float
    error: Exception | None

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.port, name)
        return partial(self._call, found) if callable(found) else found

    def _call(self, method: Callable[..., Any], *given: Any) -> Any:
        self.clock.take(self.seconds)
        if self.error is not None:
            raise self.error
        return method(*given)


@dataclass
class Account:
    """Services with their latencies in seconds."""

    table: float = 0.0
    ec2: float = 0.0
    sns: float = 0.05
    fails: bool = False
    """Whether table and EC2 answer with errors."""
    clock: Clock = field(default_factory=Clock)
    sink: MemorySink = field(default_factory=MemorySink)
    evidence: MemoryEvidence = field(default_factory=MemoryEvidence)
    claims: MemoryClaims = field(default_factory=lambda: MemoryClaims(ClaimTerms(suppression=3600, lease=50)))

    def process(self, given: LogBatch) -> BatchReport:
        """One invocation of a new container."""
        away = StateUnavailable("by the test") if self.fails else None
        table = partial(self.clock.port, seconds=self.table, error=away)
        refuses = InterfacesUnavailable("by the test") if self.fails else None
        unknown = LogFormatsUnavailable("by the test") if self.fails else None
        ports = MonitorPorts(
            formats=self.clock.port(FakeFormats(), self.ec2, unknown),
            format_store=table(MemoryLogFormats()),
            interfaces=self.clock.port(FakeDirectory(), self.ec2, refuses),
            state=table(self.evidence),
            claims=table(self.claims),
            pages=self.clock.port(self.sink, self.sns),
            operations=MemorySink(name="memory:operations"),
        )
        service = build(ports, Policy(), region="eu-west-1", suppression_minutes=60)
        return service.process(given, Invocation("attempt", self.clock.left), NOW)


def busy(hosts: int = HOSTS) -> LogBatch:
    """Each host is refused at a dozen places: two lookups and a page for each."""
    refused = [
        f"2 1 eni-{host:017x} 10.0.1.{host} 10.0.2.{place} {40_000 + host} 22 6 6 360 {NOW - 90} {NOW - 40} "
        "REJECT OK"
        for host in range(1, hosts + 1)
        for place in range(1, 13)
    ]
    return batch(*refused)


@cache
def pages(hosts: int = HOSTS) -> set[str]:
    """The subjects of all pages if every call is fast."""
    account = Account(sns=0)
    account.process(busy(hosts)).raise_if_unsent()
    return {each.subject for each in account.sink.sent}


def test_a_table_of_a_fifth_of_a_second_per_call_delays_no_page() -> None:
    """All pages go out in one invocation; the history that was not looked up is counted."""
    account = Account(table=0.2)
    result = account.process(busy())
    result.raise_if_unsent()
    assert {each.subject for each in account.sink.sent} == pages()
    assert len(account.sink.sent) == len(pages()) == MAX_SINGLE + 1
    assert result.host_history_unavailable >= 1
    assert result.state_unavailable > result.host_history_unavailable, "claims ran out of time, too"
    assert account.clock.used <= LOOKUP_SECONDS + CLAIM_SECONDS + REMEMBER_SECONDS + 3


def test_a_fast_table_is_asked_for_everything() -> None:
    """Budgets limit the time of calls, not their number."""
    account = Account(table=0.005)
    result = account.process(busy())
    result.raise_if_unsent()
    assert (result.state_unavailable, result.interfaces_unavailable) == (0, 0)
    assert account.evidence.writes >= 2 * HOSTS


def test_history_is_stored_as_far_as_the_budget_lasts() -> None:
    """A slow table takes fewer writes than a fast one."""
    slow, fast = Account(table=0.2), Account()
    slow.process(busy())
    fast.process(busy())
    assert 0 < slow.evidence.writes < fast.evidence.writes
    assert slow.evidence.writes <= (LOOKUP_SECONDS + REMEMBER_SECONDS) / 0.2


LATENCIES = st.one_of(
    st.fixed_dictionaries({"table": st.floats(0, 2), "ec2": st.floats(0, 3), "fails": st.just(value=False)}),
    st.fixed_dictionaries({"table": st.floats(0, 7), "ec2": st.floats(0, 3), "fails": st.just(value=True)}),
)
"""Seconds of a call: an answer takes at most 2 s, an error with all attempts 7 s."""


@examples(1)
@given(LATENCIES, st.floats(0, 0.3), st.sampled_from([1, 4, MAX_SINGLE + 2, HOSTS]))
def test_no_latency_keeps_pages_from_going_out(latencies: dict[str, Any], sns: float, hosts: int) -> None:
    """Whatever table and EC2 take for a call, the first delivery of a batch sends all its pages."""
    account = Account(sns=sns, **latencies)
    account.process(busy(hosts)).raise_if_unsent()
    assert {each.subject for each in account.sink.sent} == pages(hosts)
    assert account.clock.left() > 0


@examples(1)
@given(LATENCIES, st.floats(0.3, 6.5), st.sampled_from([1, 4, MAX_SINGLE + 2, HOSTS]))
def test_with_a_slow_topic_too_no_host_goes_unmentioned(
    latencies: dict[str, Any], sns: float, hosts: int
) -> None:
    """What there is no time to send on its own is in a roll-up, in the first delivery; or all is retried."""
    account = Account(sns=sns, **latencies)
    delivery = account.process(busy(hosts)).delivery
    mentioned = len(delivery.sent) + len(set(delivery.unsent))
    assert mentioned >= hosts
    assert not delivery.unsent or (hosts == 1 and not account.sink.sent)
    assert account.clock.left() > 0


@pytest.mark.parametrize(("table", "sns"), [(2.0, 2.0), (0.01, 6.5), (2.0, 0.2), (0.2, 3.0)])
def test_a_slow_topic_gets_a_roll_up_in_time(table: float, sns: float) -> None:
    """The gravest come singly."""
    account = Account(table=table, ec2=table, sns=sns)
    account.process(busy()).raise_if_unsent()
    single = {each.subject for each in account.sink.sent[:-1]}
    assert single <= pages()
    assert account.sink.sent[-1].attributes["detector"] == "alert-rollup"
    assert account.clock.left() > 0


@pytest.mark.parametrize(("seconds", "calls"), [(0.0, 2), (0.1, 2), (7.0, 1)])
def test_a_failed_call_is_repeated_only_if_it_failed_fast(seconds: float, calls: int) -> None:
    """A single error costs no finding; a table that hangs is not asked twice."""
    clock = Clock()
    budget = Budget(LOOKUP_SECONDS, clock.left)
    before, made = budget.left, 0
    while made == 0 or (made < 2 and budget.allows_repeat(before)):
        with budget.spending():
            clock.take(seconds)
        made += 1
    assert made == calls


def test_a_budget_counts_calls_and_not_computing() -> None:
    """A batch that computes for long keeps its lookups, unless the function's time is nearly over."""
    clock = Clock()
    budget = Budget(5.0, clock.left, reserve=10.0)
    clock.used += 20
    assert budget.left == 5.0
    with budget.spending():
        clock.take(2.0)
    assert (budget.left, budget.is_spent) == (3.0, False)
    clock.used = 29.0
    assert budget.left == 1.0
    clock.used = 31.0
    assert budget.is_spent


def test_a_page_that_is_sent_is_confirmed_although_the_budget_is_spent() -> None:
    """Otherwise it would repeat; pages beyond the budget go out without a claim."""
    slow = CLAIM_SECONDS / 2
    account = Account(table=slow)
    assert account.process(busy(3)).state_unavailable == 3, "two claims, and what later batches would use"
    assert len(account.sink.sent) == 3
    sent = [each for each in account.claims.items.values() if each.sent_at is not None]
    assert len(sent) == len(account.claims.items) == 1
