"""Names on pages, from the batch to the sink: looked up for notifications alone, and never in their way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from flowwarden.bootstrap.monitor_service import Home, MonitorPorts, build
from flowwarden.monitor.caches.names import NAME_SECONDS, SLOWEST_LOOKUP
from flowwarden.monitor.pipeline import Invocation, MonitoringService
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import Claim, ClaimState, ClaimTerms
from flowwarden.notify.draft import Draft
from flowwarden.notify.notification import Notification
from flowwarden.notify.pending import Pending
from flowwarden.policy.policy import Policy
from tests.hostile import HOSTILE, is_visible, mapped
from tests.monitor.fakes_interfaces import FakeDirectory
from tests.monitor.fakes_log_formats import FakeFormats, MemoryLogFormats
from tests.monitor.fakes_names import FakeNames
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.render.rows import below, row
from tests.monitor.test_known_ends import APP, BLOCKED, DATABASE, NOW, batch, line, usual
from tests.notify.fakes import MemoryClaims, MemorySink

ACCOUNT = "111122223333"
TIMEOUT = 40.0
WEB = replace(
    APP, vpc_name="shop", vpc_cidrs=("10.0.0.0/16",), tags={"Name": "web-1", "Role": "app", "Team": "shop"}
)
STORE = replace(DATABASE, subnet_id="subnet-2", tags={"Name": "orders-db", "Owner": "Data team"})
QUIET = batch("eni-app", line("eni-app", "10.0.1.20", "10.0.2.30", "ACCEPT"))


class Recorded(MemoryClaims):
    """Claims that keep what the dispatcher would send."""

    waiting: tuple[Pending, ...] = ()

    def claim(self, request: ClaimRequest) -> Claim:
        """See the port."""
        self.waiting = (*self.waiting, *([request.pending] if request.pending else []))
        return super().claim(request)


@dataclass
class Account:
    """An account with an application and its database."""

    names: FakeNames = field(
        default_factory=lambda: FakeNames(
            (STORE,), {"subnet-1": "app-a", "subnet-2": "data-a"}, "shop-production"
        )
    )
    interfaces: FakeDirectory = field(default_factory=lambda: FakeDirectory.of(WEB))
    sink: MemorySink = field(default_factory=MemorySink)
    claims: Recorded = field(default_factory=lambda: Recorded(ClaimTerms(suppression=3600, lease=50)))
    used: float = 0.0
    warn: Callable[[str], None] = lambda _message: None
    state: MemoryEvidence = field(default_factory=usual)

    def container(self) -> MonitoringService:
        """A new container."""
        ports = MonitorPorts(
            formats=FakeFormats(), format_store=MemoryLogFormats(), interfaces=self.interfaces,
            claims=self.claims, pages=self.sink, operations=MemorySink(name="operations"), names=self.names,
            home=Home("aws", ACCOUNT), warn=self.warn, state=self.state,
        )  # fmt: skip
        return build(ports, Policy(), region="eu-west-1", suppression_minutes=60)

    def page(self) -> Notification:
        """The page about a blocked connection."""
        self.container().process(BLOCKED, Invocation("1", lambda: TIMEOUT - self.used), NOW)
        (sent,) = self.sink.sent
        return sent


def test_a_page_names_both_hosts_their_owners_and_their_places() -> None:
    """Also the far end, which no batch has described."""
    sent = Account().page()
    assert row(sent, "From") == "10.0.1.20 web-1 (internal)"
    assert below(sent, "From") == [
        "Team=shop, role tag:Role=app", "i-app, eni-app, subnet-1 (app-a), security group sg-1",
    ]  # fmt: skip
    assert row(sent, "To") == "10.0.2.30 orders-db (internal)"
    assert below(sent, "To") == [
        "Owner=Data team, role sg:sg-1",
        "i-db, eni-db, subnet-2 (data-a), security group sg-1, per EC2 at 2025-11-24 16:00:00 UTC",
    ]  # fmt: skip
    assert row(sent, "Where").startswith("111122223333 (shop-production), eu-west-1, vpc-1 (shop), ")
    (host,) = sent.document["to"]["hosts"]
    assert (host["name"], host["owners"], host["subnet_name"]) == (
        "orders-db",
        {"Owner": "Data team"},
        "data-a",
    )
    assert (sent.document["account_alias"], sent.document["vpc_name"]) == ("shop-production", "shop")
    assert sent.subject.startswith(
        "[MEDIUM] 10.0.1.20 (web-1) is blocked from PostgreSQL (tcp/5432) at 10.0.2.30"
    )
    assert "10.0.2.30, instance i-db: https://console.aws.amazon.com/ec2/home?region=eu-west-1#" in sent.text


def test_the_dispatcher_would_send_the_same_page() -> None:
    """The claim stores it before it is sent."""
    account = Account()
    sent = account.page()
    (waiting,) = account.claims.waiting
    stored = msgspec.json.decode(msgspec.json.encode(waiting.notification), type=Draft)
    assert stored.completed(Claim(state=ClaimState.CLAIMED), waiting.evidence) == sent


def test_a_batch_without_notifications_looks_up_nothing() -> None:
    """However many there are."""
    account = Account()
    container = account.container()
    for each in range(20):
        container.process(replace(QUIET, batch_id=str(each)), Invocation("1", lambda: TIMEOUT), NOW + each)
    assert account.names.asked == []


def test_the_batches_of_an_incident_that_goes_on_look_up_nothing_again() -> None:
    """Only the first one does: for an hour, its container knows the names."""
    account = Account()
    container = account.container()
    for each in range(50):
        container.process(replace(BLOCKED, batch_id=str(each)), Invocation("1", lambda: TIMEOUT), NOW + each)
    assert [name for name, _ in account.names.asked] == ["having", "subnet_names", "account_alias"]
    assert len(account.sink.sent) == 1


def without_names(sent: Notification) -> str:
    """The text without the line that names are unavailable, and the names that a batch itself describes."""
    lines = [each for each in sent.text.split("\n") if not each.startswith("Names unavailable: ")]
    return "\n".join(lines)


ALL = ("having", "describe", "subnet_names", "account_alias")


@pytest.mark.parametrize("why", ["UnauthorizedOperation", "RequestLimitExceeded", "no response in time"])
def test_a_page_without_names_is_as_before_and_says_why(why: str) -> None:
    """Denied, throttled, or without an answer: everything but the names is there."""
    failing = Account(names=FakeNames(fails=dict.fromkeys(ALL, f"DescribeX: {why}")))
    sent, before = failing.page(), Account(names=FakeNames()).page()
    assert f"\nNames unavailable: DescribeX: {why}\n" in sent.text
    assert without_names(sent) == before.text
    assert sent.subject == before.subject
    assert sent.document | {"names_unavailable": None} == before.document
    assert sent.attributes == before.attributes


def test_a_page_goes_out_although_ec2_describes_nothing() -> None:
    """The batch's own query is refused as well: then the page has the ids of the records."""
    account = Account(
        interfaces=FakeDirectory(refuses=True),
        names=FakeNames(fails=dict.fromkeys(ALL, "DescribeX: Throttled")),
    )
    sent = account.page()
    assert "Names unavailable: RequestLimitExceeded, by the test" in sent.text
    assert row(sent, "To") == "10.0.2.30 (internal)"


def test_a_fault_of_the_lookup_costs_no_page() -> None:
    """It is logged, and the page says so."""
    logged: list[str] = []
    account = Account(warn=logged.append)

    def fail() -> None:
        raise IndexError("by the test")

    account.names.takes = fail
    assert "\nNames unavailable: an error in the lookup (IndexError)\n" in account.page().text
    assert logged == ["names for notifications were not looked up: IndexError('by the test')"]


@pytest.mark.parametrize("seconds", [0.3, 3.0, SLOWEST_LOOKUP])
def test_slow_lookups_delay_a_page_by_a_bounded_time(seconds: float) -> None:
    """Each answers, or hangs until its timeout."""
    account = Account()

    def take() -> None:
        account.used += seconds

    account.names.takes = take
    sent = account.page()
    assert account.used <= NAME_SECONDS + seconds
    assert ("Names unavailable: no time was left for lookups" in sent.text) == (seconds > 1)


def test_nothing_is_looked_up_if_a_batch_is_late() -> None:
    """The rest of the time is for claims and notifications."""
    account = Account(used=TIMEOUT - 25)
    sent = account.page()
    assert account.names.asked == []
    assert "Names unavailable: no time was left for lookups" in sent.text


def test_slow_lookups_hide_no_history_of_a_host() -> None:
    """It decides to which incident a page belongs, so it is read before any name is looked up."""
    account, reads = Account(), list[int]()
    account.names.takes = lambda: reads.append(account.state.reads)
    attempts = [line("eni-app", "10.0.1.20", f"10.0.2.{each}", "REJECT") for each in range(30, 90)]
    scan = [each.replace(" 5432 ", f" {port} ") for each in attempts for port in (22, 80, 445, 3389)]
    account.container().process(batch("eni-app", *scan), Invocation("1", lambda: TIMEOUT), NOW)
    assert [each.subject[:30] for each in account.sink.sent] == ["[HIGH] 10.0.1.20 (web-1) faile"]
    assert set(reads) == {account.state.reads}


def hostile(interface: NetworkInterface) -> NetworkInterface:
    """The interface with hostile names."""
    role = {"Role": interface.tags["Role"]} if "Role" in interface.tags else {}
    tags = {key: f"{value}{HOSTILE}" for key, value in interface.tags.items()} | role
    return replace(interface, tags=tags, group_names=(HOSTILE,), description=HOSTILE, vpc_name=HOSTILE)


def test_odd_names_harm_no_page() -> None:
    """Text of every kind in every name: one line each, visible, and bounded."""
    names = FakeNames((hostile(STORE),), dict.fromkeys(("subnet-1", "subnet-2"), HOSTILE), HOSTILE)
    sent, usual_page = Account(names, FakeDirectory.of(hostile(WEB))).page(), Account().page()
    assert is_visible(sent.text)
    assert sent.text.count("\n\n") == usual_page.text.count("\n\n")
    assert all(len(each) <= 2000 for each in sent.text.split("\n"))
    assert len(sent.subject) <= 98
    assert len(sent.text) < 2 * len(usual_page.text) + 4000


def test_the_title_of_an_incident_names_the_host() -> None:
    """Roll-ups, `flowwarden incidents` and the notification that it is over show the title."""
    account = Account()
    account.page()
    (waiting,) = account.claims.waiting
    assert waiting.incident.title.startswith("10.0.1.20 (web-1) is blocked from PostgreSQL")


def test_what_names_find_changes_no_incident() -> None:
    """The key, the title and the mutes are the same with and without them."""
    found, missing = Account(), Account(names=FakeNames(fails=dict.fromkeys(ALL, "DescribeX: y")))
    one, other = found.page(), missing.page()
    for member in ("incident", "summary", "subject", "mutes", "because"):
        assert one.document[member] == other.document[member]


def test_texts_are_the_same_without_a_directory() -> None:
    """As in replays: no line about names, because none could be looked up."""
    account = Account()
    ports: Callable[..., Any] = MonitorPorts
    service = build(
        ports(
            formats=FakeFormats(), format_store=MemoryLogFormats(), interfaces=account.interfaces,
            state=usual(), claims=account.claims, pages=account.sink, operations=MemorySink(name="o"),
        ),
        Policy(), region="eu-west-1", suppression_minutes=60,
    )  # fmt: skip
    service.process(BLOCKED, Invocation("1", lambda: TIMEOUT), NOW)
    (sent,) = account.sink.sent
    assert "Names unavailable" not in sent.text
    assert "AWS console" not in sent.text
    assert row(sent, "From") == "10.0.1.20 web-1 (internal)"


def test_the_partition_and_the_account_are_those_of_the_topic() -> None:
    """A topic's ARN contains both."""
    assert Home.of("arn:aws-cn:sns:cn-north-1:111122223333:pages") == Home("aws-cn", "111122223333")
    assert Home.of("pages") == Home()


def test_mapping_keeps_its_promise() -> None:
    """The helper that makes names hostile changes all of them."""
    assert mapped(WEB, lambda _: "x").tags["Name"] == "x"
