"""Pages about rejections name the rule, only when they are sent, and are on time without EC2."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import pytest

from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.monitor.pipeline import Invocation, MonitoringService
from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.rules.explainer import SECONDS
from flowwarden.notify.claims import ClaimTerms
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import MAX_SINGLE
from flowwarden.policy.policy import Policy
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from flowwarden.records.subscription import LogBatch
from tests.monitor.fakes_interfaces import FakeDirectory
from tests.monitor.fakes_log_formats import FakeFormats, MemoryLogFormats
from tests.monitor.fakes_rules import FakeChanges, FakeRules
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.rules.test_explainer import change, rules
from tests.monitor.test_pipeline import NOW, batch
from tests.notify.fakes import MemoryClaims, MemorySink

TIMEOUT: Final = 40.0
READ_SECONDS: Final = 3.0
"""How long a call that hangs takes: to connect, and to read."""
FORMAT: Final = " ".join(f"${{{each}}}" for each in (*DEFAULT_LOG_FORMAT.names, "flow-direction", "vpc-id"))


@dataclass
class Account:
    """A monitor with rules, on fakes; `used` are the seconds that calls took."""

    directory: FakeRules = field(default_factory=lambda: rules("tcp/22 from 10.0.0.0/8"))
    changes: FakeChanges = field(default_factory=FakeChanges)
    sink: MemorySink = field(default_factory=MemorySink)
    claims: MemoryClaims = field(default_factory=lambda: MemoryClaims(ClaimTerms(suppression=3600, lease=50)))
    used: float = 0.0

    def container(self, *, without: bool = False) -> MonitoringService:
        """A new container; without the ports of rules if asked."""
        ports = MonitorPorts(
            formats=FakeFormats({"/flow-warden/flow-logs": [FORMAT]}),
            format_store=MemoryLogFormats(),
            interfaces=FakeDirectory(),
            state=MemoryEvidence(),
            claims=self.claims,
            pages=self.sink,
            operations=MemorySink(name="memory:operations"),
            rules=None if without else self.directory,
            rule_changes=None if without else self.changes,
            warn=pytest.fail,
        )
        return build(ports, Policy(), region="eu-west-1", suppression_minutes=60)

    def process(self, *batches: LogBatch, without: bool = False) -> list[BatchReport]:
        """Batches of one container."""
        service = self.container(without=without)
        found = [service.process(each, Invocation(each.batch_id, self.left), NOW) for each in batches]
        for each in found:
            each.raise_if_unsent()
        return found

    def left(self) -> float:
        """Seconds until Lambda stops the function."""
        return TIMEOUT - self.used

    def hang(self) -> None:
        """A call of EC2 that is not answered."""
        self.used += READ_SECONDS


def refused(client: str = "10.0.1.5", port: int = 5432, name: str = "batch") -> LogBatch:
    """A batch in which the database refuses a connection."""
    return batch(*lines(client, port), name=name, stream="eni-db-all")


def lines(client: str = "10.0.1.5", port: int = 5432) -> list[str]:
    """The record of a refused connection."""
    record = f"2 111122223333 eni-db {client} 10.0.2.6 50000 {port} 6 6 360 {NOW - 90} {NOW - 40} REJECT OK"
    return [f"{record} ingress vpc-1"]


def blocked_by(sent: Notification) -> str:
    """The row of a page; '' if it has none."""
    rows = [each for each in sent.text.splitlines() if each.startswith("Blocked by")]
    return rows[0].removeprefix("Blocked by").strip() if rows else ""


def without_rules(sent: Notification) -> tuple[str, list[str]]:
    """Everything else on the page."""
    rows = [each for each in sent.text.splitlines() if not each.startswith(("Blocked by", "Changed", "Also"))]
    return sent.subject, rows


def test_the_page_names_the_rule_and_its_changes() -> None:
    """In the text and in the document."""
    account = Account(changes=FakeChanges([change("sg-db", NOW - 270)]))
    account.process(refused())
    (page,) = account.sink.sent
    assert blocked_by(page).startswith(
        "No inbound rule of sg-db (db) allows tcp/5432 from 10.0.1.5; the closest"
    )
    assert "3 min before the first rejection of this batch" in page.text
    assert page.document["blocked_by"]["by"]["code"] == "ENI_SG_RULES_MISMATCH"
    assert [each["id"] for each in page.document["blocked_by"]["changes"]] == ["e-1"]


def test_a_repeat_that_is_not_sent_looks_nothing_up() -> None:
    """Lookups happen when an incident is opened or updated, never for each batch."""
    account = Account()
    account.process(refused())
    asked = list(account.directory.calls)
    account.process(*(refused(name=f"later-{each}") for each in range(5)))
    assert account.directory.calls == asked
    assert len(account.sink.sent) == 1


def test_a_batch_without_rejections_looks_nothing_up() -> None:
    """Nor does one whose page is about something else."""
    account = Account()
    scan = [each for port in range(1, 40) for each in lines(port=port)]
    account.process(batch("2 111122223333 eni-db 10.0.1.5 10.0.2.6 5 6 6 6 360 1 2 ACCEPT OK ingress vpc-1"))
    account.process(batch(*scan))
    assert account.directory.calls == []
    assert [blocked_by(each) for each in account.sink.sent] == [""]


def test_pages_of_a_roll_up_look_nothing_up() -> None:
    """It lists titles."""
    account = Account()
    account.process(batch(*(each for host in range(1, 60) for each in lines(f"10.0.9.{host}", 3000 + host))))
    assert len(account.sink.sent) == MAX_SINGLE + 1
    assert account.directory.calls.count("interface_at") <= MAX_SINGLE


@pytest.mark.parametrize("name", ["interface", "interface_at", "groups", "acls"])
def test_a_call_that_ec2_refuses_leaves_the_page_as_it_is(name: str) -> None:
    """Each permission taken away: the page is sent, with the verdict or the reason."""
    account = Account()
    account.directory.refused = {name}
    account.process(refused())
    plain = Account()
    plain.process(refused(), without=True)
    assert [without_rules(each) for each in account.sink.sent] == [
        without_rules(each) for each in plain.sink.sent
    ]
    (page,) = account.sink.sent
    assert blocked_by(page)
    assert f"EC2 refused {name}" in str(page.document["blocked_by"]["undetermined_because"])


def test_without_the_changes_the_page_names_the_rule() -> None:
    """The state table does not answer the query."""
    account = Account(changes=FakeChanges(away=True))
    account.process(refused())
    (page,) = account.sink.sent
    assert blocked_by(page).startswith("No inbound rule of sg-db")
    assert page.document["blocked_by"]["changes_missing_because"]


@pytest.mark.parametrize("why", ["EC2 throttled DescribeNetworkInterfaces", "EC2 did not answer within 2 s"])
def test_pages_are_on_time_while_ec2_hangs_or_throttles(why: str) -> None:
    """All pages of the batch wait for one call together."""
    account = Account()
    account.directory.away = why
    account.directory.wait = account.hang
    account.process(batch(*(each for host in range(1, 20) for each in lines(f"10.0.9.{host}", 3000 + host))))
    assert len(account.sink.sent) == 19
    assert {blocked_by(each) for each in account.sink.sent} == {f"Undetermined: {why}."}
    assert account.used == READ_SECONDS


def test_pages_are_on_time_while_ec2_is_slow() -> None:
    """Answers of a second each: the batch's time for lookups ends, and the other pages go out at once."""
    account = Account()
    account.directory.wait = lambda: setattr(account, "used", account.used + 1.0)
    account.process(batch(*(each for host in range(1, 20) for each in lines(f"10.0.9.{host}", 3000 + host))))
    assert len(account.sink.sent) == 19
    assert account.used <= SECONDS + 1.0


def test_a_page_that_is_stored_before_it_is_sent_is_without_rules() -> None:
    """The copy that the dispatcher sends if the function ends: nothing is looked up for it."""
    account = Account()
    account.process(refused())
    (item,) = account.claims.items.values()
    assert item is not None
    assert account.directory.calls.count("interface") == 1
