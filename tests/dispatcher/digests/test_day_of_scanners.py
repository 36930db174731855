"""A day of 10,000 internet scanners against a /28: no page, one daily digest, and an inside scan opens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Final

from flowwarden.bootstrap.dispatcher_service import DispatcherPorts
from flowwarden.bootstrap.dispatcher_service import build as build_dispatcher
from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.dispatcher.digest_place import DigestPlace
from flowwarden.monitor.pipeline import Invocation
from flowwarden.notify.notification import Notification
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow
from flowwarden.records.subscription import LogBatch
from flowwarden.state.sets import HOUR
from tests.dispatcher.fakes import NoIncidents
from tests.flows import WHOLE, rejected
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_log_formats import FakeFormats, MemoryLogFormats
from tests.monitor.fakes_state import MemoryDigests, MemoryEvidence
from tests.monitor.scenarios import GROUP, TERMS, line_of
from tests.monitor.weeks import CLIENT, IN, SCAN, TODAY, learned
from tests.notify.fakes import MemoryClaims, MemorySink

HOSTS: Final = [f"10.0.1.{number}" for number in range(4, 15)]
"""The hosts of a /28: the first four addresses and the last one belong to AWS."""
SCANNERS: Final = 10_000
BUSIEST: Final = "203.0.113.9"
TRIED: Final = range(20, 60)
"""The ports that it tries at each host in each hour."""
PORTS: Final = (22, 23, 80, 443, 445, 3389, 5900, 6379, 8080, 8443)


def eni(host: str) -> str:
    """The interface of a host."""
    return "eni-1" if host == CLIENT else f"eni-{HOSTS.index(host) + 10:x}"


def attempt(source: str, host: str, port: int, at: int) -> Flow:
    """A rejected attempt from the internet."""
    return rejected(
        f"{source}:41000", f"{host}:{port}", tcp_flags=2, flow_direction=IN, interface_id=eni(host),
        start=at, end=at + 9, packets=1, bytes=40,
    )  # fmt: skip


def noise(day: int) -> Iterator[tuple[int, str, list[Flow]]]:
    """The attempts of a day by hour and host: each scanner tries one or two ports of one host."""
    random = Random(7)  # noqa: S311 - made-up traffic
    found: dict[tuple[int, str], list[Flow]] = {}
    for number in range(SCANNERS):
        source = f"45.{number // 250}.{number % 250}.{random.randrange(1, 255)}"
        hour, host = random.randrange(24), random.choice(HOSTS)
        at = day + hour * HOUR + random.randrange(600, 1200)
        for port in random.sample(PORTS, random.choice((1, 1, 2))):
            found.setdefault((hour, host), []).append(attempt(source, host, port, at))
    for hour in range(24):
        for host in HOSTS:
            at = day + hour * HOUR + 900
            busiest = [attempt(BUSIEST, host, port, at) for port in TRIED]
            yield hour, host, [*found.get((hour, host), []), *busiest]


@dataclass
class Stack:
    """A monitor and a dispatcher on one table, in memory."""

    evidence: MemoryEvidence = field(default_factory=lambda: MemoryEvidence(dict(learned().items)))
    digests: MemoryDigests = field(default_factory=MemoryDigests)
    pages: MemorySink = field(default_factory=MemorySink)
    operations: MemorySink = field(default_factory=lambda: MemorySink(name="memory:operations"))

    def __post_init__(self) -> None:
        """A container of each function."""
        known = FakeDirectory.of(*(interface(eni(host)) for host in HOSTS))
        claims = MemoryClaims(TERMS)
        ports = MonitorPorts(
            formats=FakeFormats({GROUP: [WHOLE.to_log_format()]}),
            format_store=MemoryLogFormats(),
            interfaces=known,
            state=self.evidence,
            claims=claims,
            digests=self.digests,
            pages=self.pages,
            operations=self.operations,
        )
        self.monitor = build(ports, Policy(), region="eu-west-1", suppression_minutes=240)
        place = DigestPlace("111122223333", "eu-west-1", "docs/runbooks")
        self.dispatcher, _ = build_dispatcher(
            DispatcherPorts(
                incidents=NoIncidents(), claims=claims, evidence=self.evidence, pages=self.pages,
                operations=self.operations, digests=self.digests, place=place,
            )
        )  # fmt: skip

    def deliver(self, host: str, flows: list[Flow], now: int) -> None:
        """A batch of one interface."""
        lines = tuple(line_of(each) for each in flows)
        batch = LogBatch("111122223333", GROUP, f"{eni(host)}-all", lines, f"{now} {host}")
        self.monitor.process(batch, Invocation(batch.batch_id, lambda: 60.0), now).raise_if_unsent()

    def dispatch(self, now: int) -> None:
        """A run of the dispatcher."""
        self.dispatcher.run(f"run {now}", now, lambda: 60.0).raise_if_incomplete()

    def sent(self, kind: str) -> list[Notification]:
        """The notifications to operations of one kind."""
        return [each for each in self.operations.sent if each.attributes["kind"] == kind]


@cache
def day() -> Stack:
    """The stack after the day, with the dispatcher run ten times an hour until half a day later."""
    stack = Stack()
    hour = 0
    for hour_of, host, flows in noise(TODAY):
        for minute in range(0, 60, 6) if hour_of > hour else ():
            stack.dispatch(TODAY + hour * HOUR + minute * 60)
        hour = hour_of
        stack.deliver(host, flows, TODAY + hour * HOUR + 1300 + HOSTS.index(host))
    for minute in range(0, 720, 6):
        stack.dispatch(TODAY + 23 * HOUR + 1800 + minute * 60)
    return stack


def test_the_day_pages_nothing() -> None:
    """Neither the noise nor the scanner that tries every host."""
    assert day().pages.sent == []


def test_one_daily_digest_names_the_busiest_scanner_with_its_ports() -> None:
    """It is sent once, though the dispatcher runs 100 times; the estimate of all hosts is close."""
    (digest,) = day().sent("daily-digest")
    first = digest.document["sources"][0]
    assert first["address"] == BUSIEST
    assert {"FTP (tcp/21)", "SSH (tcp/22)"} <= set(first["ports"])
    assert first["ports_at_least"] >= len(TRIED) / 2
    assert len(TRIED) * len(HOSTS) * 24 / 2 <= first["records_at_least"] <= len(TRIED) * len(HOSTS) * 24
    assert 0.6 * SCANNERS <= digest.document["hosts_about"] <= 1.4 * SCANNERS
    assert BUSIEST in digest.subject
    assert "SSH (tcp/22)" in digest.text


def test_the_day_costs_few_writes_of_small_items() -> None:
    """One container writes an hour at most every 10 minutes; an item has less than 40 KB."""
    digests = day().digests
    assert len(digests.written) <= 24 * 6
    sizes = [
        sum(len(text) + 3 for texts in each.texts.values() for text in texts)
        + sum(8 * len(numbers) for numbers in each.numbers.values())
        for each in digests.items.values()
    ]
    assert max(sizes) < 40_000


def test_an_inside_scan_in_that_day_opens_within_one_batch() -> None:
    """The noise does not hide it."""
    stack = Stack()
    for hour, host, flows in noise(TODAY):
        if hour < 1:
            stack.deliver(host, flows, TODAY + hour * HOUR + 1300 + HOSTS.index(host))
    assert stack.pages.sent == []
    stack.deliver(CLIENT, SCAN, TODAY + 7200)
    (page,) = stack.pages.sent
    assert (page.attributes["event"], page.attributes["detector"]) == ("opened", "scan")
