"""The monitor on a damaged state table: batches succeed, pages go out, and the damage is counted."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.formats import DynamoDbLogFormats
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.monitor.pipeline import Invocation
from flowwarden.monitor.report import BatchReport
from flowwarden.notify.claims import ClaimTerms
from flowwarden.policy.policy import Policy
from flowwarden.records.subscription import LogBatch
from flowwarden.state.sets import DAY
from flowwarden.unreadable import Unreadable
from tests.aws.dynamodb.damage import DAMAGE, DROPPED, TABLE, damage, dynamodb, empty, fill, items, members
from tests.examples import examples
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_log_formats import FakeFormats
from tests.notify.fakes import MemorySink

pytestmark = pytest.mark.usefixtures("state_table")

NOW: Final = 1_764_000_600
QUIET: Final = 4 * 3600
LONGEST: Final = DAY + QUIET
"""Of findings that also count over a day."""
TERMS: Final = ClaimTerms(suppression=QUIET, lease=50)
UNREAD: Final = {"expires_at", "asked_at"}
"""Members that only the table reads: damage to them is overwritten without being noticed."""


def lines(now: int) -> tuple[str, ...]:
    """A host is refused by a database, and another one scans 60 hosts."""
    at = f"{now - 400} {now - 340}"
    head, refused = "2 111122223333 eni-0a", "6 6 360"
    scan = (f"{head} 10.0.1.66 10.0.9.{host} 49152 8080 {refused} {at} REJECT OK" for host in range(1, 61))
    return (f"{head} 10.0.1.20 10.0.2.30 49152 5432 {refused} {at} REJECT OK", *scan)


class Container:
    """A cold container of the monitor on the table."""

    def __init__(self) -> None:
        self.sink = MemorySink()
        notes, table = Unreadable(), dynamodb()
        ports = MonitorPorts(
            formats=FakeFormats(),
            format_store=DynamoDbLogFormats(table, TABLE, notes),
            interfaces=FakeDirectory.of(interface("eni-0a")),
            state=DynamoDbEvidence(table, TABLE, notes),
            claims=DynamoDbClaims(table, TABLE, TERMS, notes),
            pages=self.sink,
            operations=self.sink,
            unreadable_items=notes,
        )
        self._service = build(ports, Policy(), region="eu-west-1", suppression_minutes=QUIET // 60)

    def run(self, name: str, now: int) -> BatchReport:
        """Process a batch."""
        batch = LogBatch("111122223333", "/flow-logs", "eni-0a-all", lines(now), name)
        return self._service.process(batch, Invocation(f"attempt-{name}", lambda: 300.0), now)


@cache
def first() -> tuple[Container, list[dict[str, Any]]]:
    """A run on an empty table, and the items that it and a suppressed repeat leave there."""
    empty()
    container = Container()
    assert len(container.run("batch-1", NOW).delivery.sent) == len(container.sink.sent) > 0
    assert Container().run("batch-2", NOW + 10).delivery.sent == ()
    return container, items()


def left() -> list[dict[str, Any]]:
    """The items that the run and the repeat leave in the table."""
    return first()[1]


def wanted() -> set[str]:
    """The incidents of a batch on an empty table."""
    return incidents(first()[0])


def begin() -> list[dict[str, Any]]:
    """Replace the content of the table with these items; returns them."""
    fill(left())
    return left()


def incidents(container: Container) -> set[str]:
    """The incidents that were sent."""
    return {each.document["incident"] for each in container.sink.sent}


@examples(0.15)
@given(st.sampled_from(sorted(DAMAGE)), st.data())
def test_no_damage_to_an_item_loses_a_page_or_fails_a_batch(kind: str, data: st.DataObject) -> None:
    """Within the window a page is at most repeated; after it, each incident is sent, and suppressed again."""
    found = begin()
    item = data.draw(st.sampled_from(found))
    member = data.draw(st.sampled_from(members(item, kind)))
    damage(item, member, kind)
    soon, late, later = Container(), Container(), Container()
    early = soon.run("batch-3", NOW + 20)
    assert early.delivery.unsent == ()
    if kind != DROPPED and member not in UNREAD and not item["pk"]["S"].startswith("incident#"):
        assert early.state_unavailable == 0
    damage(item, member, kind)
    report = late.run("batch-4", NOW + LONGEST + 60)
    assert report.delivery.unsent == ()
    assert incidents(late) >= wanted()
    assert later.run("batch-5", NOW + LONGEST + 70).delivery.sent == ()


@pytest.mark.parametrize("kind", ["a far time", "junk", "odd numbers"])
def test_damage_is_counted_and_named_once(kind: str) -> None:
    """The report has the number of members that were left out, and names each once per container."""
    claims = [each for each in begin() if each["pk"]["S"].startswith("incident#")]
    for each in claims:
        damage(each, "suppressed_until", kind)
    container = Container()
    report = container.run("batch-3", NOW + 20)
    assert incidents(container)
    assert report.state_unreadable == len(claims) == len(report.unreadable_items.named)
    assert "suppressed_until is" in report.unreadable_items.named[0]
    again = container.run("batch-4", NOW + 30)
    assert (again.state_unreadable, again.unreadable_items.named) == (0, ())
