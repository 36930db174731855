"""Loud batches: whatever a batch contains, its calls are bounded, and nothing is dropped silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.monitor.pipeline import Invocation, MonitoringService
from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.traffic.row_groups import MOST_FINDINGS
from flowwarden.notify.claims import ClaimTerms
from flowwarden.notify.page_budget import PageLimits
from flowwarden.policy.policy import Policy
from flowwarden.records.subscription import LogBatch
from flowwarden.state.write_budget import MOST_WRITES
from tests.examples import examples
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_log_formats import FakeFormats, MemoryLogFormats
from tests.monitor.fakes_state import MemoryEvidence
from tests.notify.fakes import MemoryClaims, MemorySink
from tests.notify.fakes_budget import MemoryPageBudget

NOW = 1_764_000_000
LOUD = 800


@dataclass
class Account:
    """One container on fakes."""

    evidence: MemoryEvidence = field(default_factory=MemoryEvidence)
    claims: MemoryClaims = field(default_factory=lambda: MemoryClaims(ClaimTerms(suppression=3600, lease=50)))
    sink: MemorySink = field(default_factory=MemorySink)
    directory: FakeDirectory = field(default_factory=FakeDirectory)
    pages: MemoryPageBudget = field(default_factory=lambda: MemoryPageBudget(PageLimits()))
    service: MonitoringService = field(init=False)

    def __post_init__(self) -> None:
        ports = MonitorPorts(
            formats=FakeFormats(),
            format_store=MemoryLogFormats(),
            interfaces=self.directory,
            state=self.evidence,
            claims=self.claims,
            page_budget=self.pages,
            pages=self.sink,
            operations=MemorySink(name="memory:operations"),
        )
        self.service = build(ports, Policy(), region="eu-west-1", suppression_minutes=60)

    def process(self, lines: Sequence[str], name: str = "batch") -> BatchReport:
        """A batch in this container."""
        batch = LogBatch("111122223333", "/flow-warden/flow-logs", "central", tuple(lines), name)
        return self.service.process(batch, Invocation(name, lambda: 40.0), NOW)

    @property
    def writes(self) -> int:
        """Writes to the table, by detectors, learning, heartbeats, claims and the budget for pages."""
        return self.evidence.writes + self.claims.calls + self.pages.calls

    @property
    def calls(self) -> int:
        """All calls to the table, EC2 and the topic for pages."""
        return self.writes + self.evidence.reads + len(self.directory.asked) + len(self.sink.sent)


def flow(eni: int, source: str, target: str, port: int, action: str = "REJECT", start: int = NOW - 90) -> str:
    """A default-format line."""
    size = 5_000_000 if port == 443 else 360
    ends = f"{source} {target} 50000 {port} 6 9 {size}"
    return f"2 111122223333 eni-{eni:017x} {ends} {start} {start + 50} {action} OK"


def own(number: int) -> str:
    """An internal address."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


SHAPES = {
    "host": lambda n: flow(1, "10.0.1.20", own(n), 445),
    "pairs": lambda n: flow(1, own(n), own(n + 100_000), 5432),
    "interfaces": lambda n: flow(n, own(n), own(n + 100_000), 22),
    "hosts of interfaces": lambda n: flow(n % 100, own(n), own(n + 100_000), 22),
    "noise": lambda n: flow(n % 100, f"52.0.{n >> 8 & 255}.{n & 255}", own(n), n % 900),
    "scanners": lambda n: flow(n // 8 % 50, f"52.0.{n // 8 >> 8}.{n // 8 & 255}", own(n // 8), n % 8 + 20),
    "answered": lambda n: flow(n % 50, own(n % 2000), own(n + 100_000), 22, "ACCEPT"),
    "hosts": lambda n: flow(n % 300, own(n % 300), own(n + 100_000), 22),
    "uploads": lambda n: flow(n % 500, own(n % 500), f"52.0.{n >> 8 & 255}.{n & 255}", 443, "ACCEPT"),
    "hours": lambda n: flow(n % 9, own(n % 64), own(n), 22, start=NOW - 3600 * (n % 500)),
    "skipped": lambda n: (
        f"2 1 eni-{n % 900:017x} - - - - - - - {NOW - 600 + n // 900} {NOW - 500} - SKIPDATA"
    ),
    "malformed": lambda n: f"odd {n}",
}
"""Lines of a shape, by their number."""


@given(
    parts=st.lists(st.tuples(st.sampled_from(sorted(SHAPES)), st.integers(1, 900)), min_size=1, max_size=4),
    described=st.booleans(),
    limit=st.sampled_from([0, 4, 100]),
)
@examples(0.25)
def test_any_batch_makes_at_most_200_writes(
    parts: list[tuple[str, int]], *, described: bool, limit: int
) -> None:
    """And each of its lines is accounted for."""
    enis = (interface(f"eni-{n:017x}", f"role-{n}") for n in range(900 if described else 0))
    limits = PageLimits(hour=limit, day=2 * limit, critical_hour=limit)
    account = Account(directory=FakeDirectory.of(*enis), pages=MemoryPageBudget(limits))
    lines = [SHAPES[name](n) for name, count in parts for n in range(count)]
    result = account.process(lines)
    assert account.writes <= MOST_WRITES
    assert result.flows + result.no_data + result.skip_data + result.malformed == len(lines)


@pytest.mark.matrix(4)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_loudest_shapes_make_few_calls(shape: str) -> None:
    """Twice as many lines make hardly more calls."""
    account, twice = Account(), Account()
    for each, count in ((account, LOUD), (twice, 2 * LOUD)):
        each.process([SHAPES[shape](n) for n in range(count)])
        assert each.writes <= MOST_WRITES
        assert each.evidence.reads <= 100
    assert twice.calls <= account.calls + 20


def test_findings_beyond_the_budget_are_counted_and_stated() -> None:
    """The roll-up's number and the metric add up to what was found; nothing is dropped silently."""
    account = Account()
    result = account.process([SHAPES["pairs"](n) for n in range(LOUD)])
    assert result.findings == LOUD
    assert result.findings_summed_up == LOUD - MOST_FINDINGS
    single = [page for page in account.sink.sent if page.attributes["detector"] != "alert-rollup"]
    assert account.sink.sent[-1].document["findings"] == LOUD - len(single)


def test_a_loud_batch_keeps_to_the_budget_for_pages() -> None:
    """Four pages and two roll-ups: of what was held, and of what was not claimed. Nothing is dropped."""
    account = Account(pages=MemoryPageBudget(PageLimits(hour=4, day=12)))
    result = account.process([SHAPES["pairs"](n) for n in range(LOUD)])
    rolled = [each for each in account.sink.sent if each.attributes["detector"] == "alert-rollup"]
    assert (len(account.sink.sent) - len(rolled), len(rolled)) == (4, 2)
    assert [each.document["findings"] for each in rolled if "limit" in each.document] == [result.over_budget]
    assert sum(each.document["findings"] for each in rolled) == LOUD - 4


def test_few_findings_are_not_summed_up() -> None:
    """Up to the budget, each finding is made."""
    result = Account().process([SHAPES["pairs"](n) for n in range(MOST_FINDINGS)])
    assert (result.findings, result.findings_summed_up, result.deferred) == (MOST_FINDINGS, 0, 0)


def test_what_had_no_room_is_stored_by_later_batches() -> None:
    """What was written costs nothing in the next batch, which leaves room for the rest."""
    account = Account()
    lines = [flow(n % 300, own(n % 300), own(n + 100_000), 22) for n in range(450)]
    first = account.process(lines, "batch-0")
    before = set(account.evidence.items)
    assert first.deferred > 0
    for number in range(1, 3):
        last = account.process(lines, f"batch-{number}")
    assert set(account.evidence.items) > before
    assert last.deferred < first.deferred
