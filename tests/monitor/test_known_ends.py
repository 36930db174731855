"""What a container knows of both ends of a connection, from the batch to the page."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.monitor.baseline.additions import learned
from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.caches.interfaces import VALID_SECONDS
from flowwarden.monitor.pipeline import Invocation, MonitoringService
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.claims import ClaimTerms
from flowwarden.policy.policy import Policy
from flowwarden.records.subscription import LogBatch
from flowwarden.state.sets import DAY
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_log_formats import FakeFormats, MemoryLogFormats
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.render.rows import below, row
from tests.notify.fakes import MemoryClaims, MemorySink

NOW = 1_764_000_000
APP = replace(interface("eni-app"), addresses=("10.0.1.20",), instance_id="i-app", tags={"Role": "app"})
DATABASE = replace(interface("eni-db"), addresses=("10.0.2.30",), instance_id="i-db", tags={"Role": "db"})
ELSEWHERE = replace(DATABASE, interface_id="eni-x", vpc_id="vpc-2", instance_id="i-x")


def line(name: str, source: str, target: str, action: str, account: str = "111122223333") -> str:
    """A record in the default format of AWS, which has no ids but the interface's."""
    return f"2 {account} {name} {source} {target} 50000 5432 6 6 360 {NOW - 90} {NOW - 40} {action} OK"


def batch(name: str, *lines: str) -> LogBatch:
    """A batch of a log stream."""
    return LogBatch("444455556666", "/flow-warden/flow-logs", f"{name}-all", lines, name)


BLOCKED = batch("eni-app", *[line("eni-app", "10.0.1.20", "10.0.2.30", "REJECT")] * 3)


def usual() -> MemoryEvidence:
    """Two days on which the application used its database, so that its refusal pages at once."""
    evidence, edge = MemoryEvidence(), Edge("out", 6, 5432, "10.0.2.0/24")
    for ago in (1, 2):
        evidence.add(learned("tag:Role=app", NOW // DAY - ago, frozenset({edge})))
    return evidence


def service(sink: MemorySink, directory: FakeDirectory) -> MonitoringService:
    """A container's service."""
    ports = MonitorPorts(
        formats=FakeFormats(), format_store=MemoryLogFormats(), interfaces=directory, state=usual(),
        claims=MemoryClaims(ClaimTerms(suppression=3600, lease=50)), pages=sink, operations=MemorySink(),
    )  # fmt: skip
    return build(ports, Policy(), region="eu-west-1", suppression_minutes=60)


def ends(
    *known: NetworkInterface, later: int = 60, refuses: bool = False
) -> tuple[list[str], list[str], int]:
    """The lines of From and To on a page, after a batch of each of these interfaces; and the calls to EC2."""
    sink, directory = MemorySink(), FakeDirectory.of(APP, *known)
    container, run = service(sink, directory), Invocation("1", lambda: 40.0)
    for each in known:
        (address,) = each.addresses
        lines = line(each.interface_id, "10.0.7.7", address, "ACCEPT")
        container.process(batch(each.interface_id, lines), run, NOW)
    asked, directory.refuses = len(directory.asked), refuses
    container.process(BLOCKED, run, NOW + later)
    (sent,) = sink.sent
    source, target = ([row(sent, each), *below(sent, each)] for each in ("From", "To"))
    return source, target, len(directory.asked) - asked


def test_both_ends_are_known_if_the_container_has_described_both() -> None:
    """With one call for the interface that logged the batch, as before."""
    source, target, calls = ends(DATABASE)
    ids = "subnet-1, security group sg-1"
    described = "per EC2 at 2025-11-24 16:00:00 UTC"
    assert source == ["10.0.1.20 (internal)", "no owner tag, role tag:Role=app", f"i-app, eni-app, {ids}"]
    assert target == [
        "10.0.2.30 (internal)", "no owner tag, role tag:Role=db", f"i-db, eni-db, {ids}, {described}",
    ]  # fmt: skip
    assert calls == 1


@pytest.mark.parametrize(
    "known",
    [
        [],
        [ELSEWHERE],  # another VPC has the same network
        [DATABASE, replace(DATABASE, interface_id="eni-new")],
    ],
    ids=["never described", "in another VPC", "two have the address"],
)
def test_an_end_that_is_not_certain_has_only_its_address(known: list[NetworkInterface]) -> None:
    """No page names the wrong machine, and EC2 is not asked for a better answer."""
    source, target, calls = ends(*known)
    assert "i-app" in source[2]
    assert target == ["10.0.2.30 (internal)"]
    assert calls == 1


def test_an_old_description_is_not_used() -> None:
    """The address may have another host by now; while EC2 refuses to say, only the address is shown."""
    assert "i-db" in ends(APP, DATABASE, later=VALID_SECONDS - 60, refuses=True)[1][2]
    assert ends(APP, DATABASE, later=VALID_SECONDS + 60, refuses=True)[1] == ["10.0.2.30 (internal)"]


OF_OWNER, OF_RECORD = ("unknown", "444455556666"), ("111122223333", "111122223333")


@pytest.mark.parametrize(("named", "account"), [OF_OWNER, OF_RECORD])
def test_a_page_is_about_an_account(named: str, account: str) -> None:
    """A record of an interface that AWS manages names none: then it is the owner of the log group."""
    sink = MemorySink()
    lines = [line("eni-app", "10.0.1.20", "10.0.2.30", "REJECT", named)] * 3
    service(sink, FakeDirectory()).process(batch("eni-app", *lines), Invocation("1", lambda: 40.0), NOW)
    (sent,) = sink.sent
    assert sent.document["account"] == sent.attributes["account"] == account
    assert row(sent, "Where").startswith(account)
