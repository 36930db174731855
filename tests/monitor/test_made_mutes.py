"""Mutes made by command, in the monitor: when they are read, what they mute, and what a failure costs."""

from __future__ import annotations

from typing import Any, Final

import pytest

from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.monitor.caches.mutes import READ_SECONDS
from flowwarden.monitor.pipeline import LOOKUP_SECONDS, Invocation, MonitoringService
from flowwarden.monitor.report import BatchReport
from flowwarden.notify.incident import MOST_MUTES, Event, Incident
from flowwarden.policy.mutes import Mute
from flowwarden.policy.policy import Policy
from tests.monitor.fakes_interfaces import FakeDirectory
from tests.monitor.fakes_log_formats import FakeFormats, MemoryLogFormats
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.test_pipeline import BLOCKED, NOW, TERMS, batch, line
from tests.notify.fakes import MemoryClaims, MemorySink
from tests.policy.fakes_mutes import MemoryMutes

HOST: Final = "10.0.1.20"
MUTE: Final = Mute(detector="blocked-connection", subject=HOST, until="2027-01-01", reason="known")
OTHER: Final = line("10.0.1.21", 6379)


class Container:
    """A container of the monitor whose mutes are those of a table."""

    def __init__(self, mutes: MemoryMutes, policy: Policy | None = None) -> None:
        self.sink, self.mutes, self.batches, self.left = MemorySink(), mutes, 0, 40.0
        self.claims = MemoryClaims(TERMS)
        ports = MonitorPorts(
            formats=FakeFormats(),
            format_store=MemoryLogFormats(),
            interfaces=FakeDirectory(),
            state=MemoryEvidence(),
            claims=self.claims,
            pages=self.sink,
            operations=MemorySink(name="memory:operations"),
            mutes=mutes,
        )
        self.service: MonitoringService = build(
            ports, policy or Policy(), region="eu-west-1", suppression_minutes=60
        )

    def process(self, *lines: str, now: int = NOW) -> BatchReport:
        """A batch."""
        self.batches += 1
        given = batch(*lines, name=f"batch-{self.batches}")
        return self.service.process(given, Invocation("1", lambda: self.left), now)


def test_a_stored_mute_keeps_its_finding_from_being_sent_and_no_other() -> None:
    """As one of the policy: counted, with its reason."""
    container = Container(MemoryMutes.of(MUTE))
    result = container.process(BLOCKED, OTHER)
    assert [each.document["subject"] for each in container.sink.sent] == ["10.0.1.21"]
    assert [each.muted for each in result.reported if each.muted] == ["known"]


def test_without_mutes_both_are_sent() -> None:
    """The control; and mutes of the policy apply besides."""
    container = Container(MemoryMutes())
    container.process(BLOCKED, OTHER)
    assert len(container.sink.sent) == 2
    container = Container(
        MemoryMutes.of(MUTE), Policy(mutes=(Mute(subject="10.0.1.21", until="never", reason="x"),))
    )
    container.process(BLOCKED, OTHER)
    assert container.sink.sent == []


def test_they_are_read_at_most_once_a_minute() -> None:
    """A mute that is made or removed works within that time."""
    container = Container(MemoryMutes())
    for at in (0, 1, READ_SECONDS - 1):
        container.process(BLOCKED, now=NOW + at)
    assert container.mutes.loads == 1
    container.mutes.items = MemoryMutes.of(MUTE).items
    container.process(line("10.0.1.22", 5432), now=NOW + READ_SECONDS)
    assert container.mutes.loads == 2


def test_a_batch_without_pages_reads_none() -> None:
    """Most batches."""
    container = Container(MemoryMutes())
    container.process(line("203.0.113.9", 22), line("10.0.1.5", 443, "ACCEPT"))
    assert container.mutes.loads == 0


def test_a_failing_table_leaves_the_last_known_mutes() -> None:
    """And fails no batch; what is not known to be muted is sent."""
    container = Container(MemoryMutes.of(MUTE))
    container.process(BLOCKED)
    container.mutes.is_away = True
    result = container.process(BLOCKED, OTHER, now=NOW + READ_SECONDS)
    assert [each.document["subject"] for each in container.sink.sent] == ["10.0.1.21"]
    assert not result.delivery.unsent
    cold = Container(MemoryMutes(is_away=True))
    cold.process(BLOCKED)
    assert len(cold.sink.sent) == 1


def test_a_mute_that_ends_between_two_reads_no_longer_applies() -> None:
    """Each batch asks for the end."""
    ends = Mute(detector="blocked-connection", subject=HOST, until="2025-11-24T16:00:30Z", reason="x")
    assert ends.end == NOW + 30
    container = Container(MemoryMutes.of(ends))
    container.process(BLOCKED, now=NOW + 29)
    assert container.sink.sent == []
    container.process(BLOCKED, now=NOW + 30)
    assert (len(container.sink.sent), container.mutes.loads) == (1, 1)


class Slow(MemoryMutes):
    """A table that takes the whole budget and then refuses."""

    container: Container

    def load(self, now: int) -> Any:
        """See the port."""
        self.container.left -= LOOKUP_SECONDS + 1
        self.is_away = True
        return super().load(now)


def test_a_slow_table_is_asked_once_and_delays_no_page() -> None:
    """Its time counts toward the budget of lookups; the call is not repeated."""
    slow = Slow()
    container = Container(slow)
    slow.container = container
    container.process(BLOCKED)
    assert (slow.loads, len(container.sink.sent)) == (1, 1)


def stored(container: Container) -> Incident:
    """The only incident."""
    (item,) = container.claims.items.values()
    assert item.incident is not None
    return item.incident


def test_an_incident_stores_the_mutes_that_its_page_suggests() -> None:
    """Without end and reason, which the command gives; with them, they mute its findings."""
    container = Container(MemoryMutes())
    container.process(BLOCKED)
    (match,) = stored(container).mutes
    (page,) = container.sink.sent
    assert page.text.endswith(
        f"or run\n  flowwarden incidents mute {page.document['incident']} --for 7d --reason TEXT\n"
    )
    again = Container(MemoryMutes.of(Mute(**match, until="2027-01-01", reason="x")))
    again.process(BLOCKED)
    assert again.sink.sent == []


@pytest.mark.parametrize("count", [1, MOST_MUTES, MOST_MUTES + 3])
def test_the_stored_mutes_are_bounded_the_latest_first(count: int) -> None:
    """An update adds its own to those of the notification before, each once."""
    old, new = ({"detector": "scan", "subject": name} for name in ("old", "new"))
    several = tuple({"detector": "scan", "subject": f"h{number}"} for number in range(count))
    before, now = (
        Incident(
            title="t", severity="high", detectors=("scan",), subject="s", log_group="g", last_seen=NOW,
            resolve_after=1, attributes={}, mutes=mutes,
        )
        for mutes in ((old, *several), (new, *several[:1]))
    )  # fmt: skip
    after = now.after(before, Event.UPDATED, NOW).mutes
    assert after[:3] == (new, several[0], old)
    assert len(after) == min(count + 2, MOST_MUTES)
