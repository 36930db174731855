"""The monitor's service: what it sends, once, even after crashes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.bootstrap.more_sinks import NONE, MoreSinks
from flowwarden.errors import PublishFailed, StateUnavailable
from flowwarden.monitor.alerts import Deployment, Seen, roll_up
from flowwarden.monitor.caches.log_formats import WAIT_SECONDS
from flowwarden.monitor.pipeline import Invocation, MonitoringService
from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.traffic.row_groups import MOST_FINDINGS
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, ClaimTerms, Owner
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import MAX_SINGLE
from flowwarden.notify.run import RESERVE
from flowwarden.policy.policy import Policy
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.records.subscription import LogBatch
from flowwarden.state.schema import CONTACTS_HOUR, HEARTBEATS
from flowwarden.state.sets import Addition, Sets
from flowwarden.state.write_budget import MOST_WRITES
from tests.monitor.fakes_interfaces import FakeDirectory
from tests.monitor.fakes_log_formats import FakeFormats, MemoryLogFormats
from tests.monitor.fakes_state import MemoryEvidence
from tests.notify.fakes import CrashError, MemoryClaims, MemorySink

NOW = 1_764_000_000
TERMS = ClaimTerms(suppression=3600, lease=50)


def line(source: str, port: int, action: str = "REJECT") -> str:
    """A default-format line: `source` contacts 10.0.2.30 on `port`."""
    return f"2 111122223333 eni-db {source} 10.0.2.30 50000 {port} 6 6 360 {NOW - 90} {NOW - 40} {action} OK"


def batch(*lines: str, name: str = "batch", stream: str = "eni-db-all") -> LogBatch:
    """A batch of lines; another name means another batch."""
    return LogBatch("111122223333", "/flow-warden/flow-logs", stream, lines, name)


BLOCKED = line("10.0.1.20", 5432)


@dataclass
class Account:
    """A service on fakes."""

    sink: MemorySink = field(default_factory=MemorySink)
    operations: MemorySink = field(default_factory=lambda: MemorySink(name="memory:operations"))
    formats: FakeFormats = field(default_factory=FakeFormats)
    memory: MemoryLogFormats = field(default_factory=MemoryLogFormats)
    claims: MemoryClaims = field(default_factory=lambda: MemoryClaims(TERMS))
    policy: Policy = field(default_factory=Policy)
    evidence: MemoryEvidence = field(default_factory=MemoryEvidence)
    more_sinks: MoreSinks = NONE

    seconds_left: float = 40.0

    def process(self, given: LogBatch, attempt: str = "attempt-1", now: int = NOW) -> BatchReport:
        """One invocation, in a new container."""
        return self.container().process(given, Invocation(attempt, lambda: self.seconds_left), now)

    def container(self) -> MonitoringService:
        """A new container's service."""
        ports = MonitorPorts(
            formats=self.formats,
            format_store=self.memory,
            interfaces=FakeDirectory(),
            state=self.evidence,
            claims=self.claims,
            pages=self.sink,
            operations=self.operations,
            more_sinks=self.more_sinks,
        )
        return build(ports, self.policy, region="eu-west-1", suppression_minutes=60)


def test_a_batch_is_counted_line_by_line() -> None:
    """Each line counts as a flow, a gap or malformed."""
    gap = "2 111122223333 eni-db - - - - - - - 1764000000 1764000060 - {}"
    result = Account().process(
        batch(
            line("203.0.113.9", 22), line("10.0.1.5", 443, "ACCEPT"), "nonsense",
            gap.format("NODATA"), gap.format("SKIPDATA"),
        )
    )  # fmt: skip
    assert (result.flows, result.no_data, result.skip_data, result.malformed) == (2, 1, 1, 1)
    assert result.malformed_samples[0][0] == "nonsense"
    assert result.internet_rejects == 1


def test_one_group_is_one_page() -> None:
    """Never one alert per line."""
    account = Account()
    result = account.process(batch(*[BLOCKED] * 40))
    assert (result.notifications, len(account.sink.sent)) == (1, 1)


def test_two_groups_are_two_pages() -> None:
    """Different hosts, different services."""
    account = Account()
    account.process(batch(BLOCKED, line("10.0.1.21", 6379)))
    assert len(account.sink.sent) == 2


def test_internet_noise_never_pages() -> None:
    """It is counted and reported."""
    account = Account()
    result = account.process(batch(*(line(f"203.0.113.{i}", 22) for i in range(50))))
    assert (result.internet_rejects, result.findings, len(result.reported)) == (50, 1, 1)
    assert account.sink.sent == []


def test_repeats_are_suppressed_and_the_next_page_counts_them() -> None:
    """Nothing until they pause for the window; then one page with the number of suppressed repeats."""
    account = Account()
    account.process(batch(BLOCKED, name="a"))
    for number in range(3):
        result = account.process(batch(BLOCKED, name=f"b{number}"), now=NOW + 600)
        assert (result.notifications, result.suppressed) == (0, 1)
    account.process(batch(BLOCKED, name="c"), now=NOW + 600 + 3600)
    assert len(account.sink.sent) == 2
    assert "3 repeats suppressed since" in account.sink.sent[1].text
    assert account.sink.sent[1].document["suppressed_batches"] == 3


def test_a_replayed_batch_pages_once() -> None:
    """A second delivery, and a redrive from the failure queue."""
    account = Account()
    for attempt in ("attempt-1", "attempt-2", "attempt-3"):
        account.process(batch(BLOCKED), attempt)
    assert len(account.sink.sent) == 1


def test_a_crash_before_publishing_loses_no_page() -> None:
    """Lambda's retry runs after the lease."""
    account = Account(sink=MemorySink(crash_before=True))
    with pytest.raises(CrashError):
        account.process(batch(BLOCKED))
    account.sink.crash_before = False
    account.process(batch(BLOCKED), "retry", NOW + 60)
    assert len(account.sink.sent) == 1


def test_a_concurrent_delivery_neither_pages_nor_succeeds() -> None:
    """It fails, so its retry checks whether the first one sent the page; by then it has."""
    account = Account()
    account.claims.claim(ClaimRequest(key_of_blocked(), Owner(batch(BLOCKED).batch_id, "attempt-1"), NOW))
    second = account.process(batch(BLOCKED), "attempt-2", NOW + 1)
    with pytest.raises(PublishFailed, match="Another delivery of this batch is in progress"):
        second.raise_if_unsent()
    account.claims.confirm(
        ClaimRequest(key_of_blocked(), Owner(batch(BLOCKED).batch_id, "attempt-1"), NOW + 1)
    )
    account.process(batch(BLOCKED), "attempt-3", NOW + 60).raise_if_unsent()
    assert account.sink.sent == []


def key_of_blocked() -> ClaimKey:
    """The incident key of BLOCKED."""
    account = Account()
    account.process(batch(BLOCKED))
    (key,) = account.claims.items
    return key


def test_a_crash_before_publishing_is_taken_over_after_the_lease() -> None:
    """Another batch with the same group waits for the lease, then pages."""
    account = Account(sink=MemorySink(crash_before=True))
    with pytest.raises(CrashError):
        account.process(batch(BLOCKED, name="a"))
    account.sink.crash_before = False
    early = account.process(batch(BLOCKED, name="b"), "attempt-2", NOW + TERMS.lease - 1)
    assert (early.suppressed, account.sink.sent) == (1, [])
    account.process(batch(BLOCKED, name="c"), "attempt-3", NOW + TERMS.lease)
    assert len(account.sink.sent) == 1


def test_a_crash_between_publishing_and_confirming_may_page_twice() -> None:
    """The only case in which a page repeats: delivery is at least once."""
    account = Account(sink=MemorySink(crash_after=True))
    with pytest.raises(CrashError):
        account.process(batch(BLOCKED))
    account.sink.crash_after = False
    account.process(batch(BLOCKED), "retry", NOW + 60)
    assert [page.subject for page in account.sink.sent] == [account.sink.sent[0].subject] * 2
    assert account.sink.sent[0].document["incident"] == account.sink.sent[1].document["incident"]


def test_a_crash_after_confirming_does_not_page_again() -> None:
    """The retry finds the page marked as sent."""
    account = Account()
    account.process(batch(BLOCKED))
    account.process(batch(BLOCKED), "retry", NOW + 60)
    assert len(account.sink.sent) == 1


def test_a_failed_page_fails_the_batch_and_the_retry_sends_it() -> None:
    """Sent pages are not repeated; any invocation sends the failed one at once."""
    private = Policy(private_subnets=("10.0.2.0/24",))
    account = Account(sink=MemorySink(refuse={"blocked-connection"}), policy=private)
    answer = f"2 111122223333 eni-db 10.0.2.30 203.0.113.9 22 50000 6 6 360 {NOW - 90} {NOW - 40} ACCEPT OK"
    both = batch(BLOCKED, line("203.0.113.9", 22, "ACCEPT"), answer)
    result = account.process(both)
    with pytest.raises(PublishFailed, match=r"1 notification.* not sent, .*PostgreSQL"):
        result.raise_if_unsent()
    assert [page.attributes["detector"] for page in account.sink.sent] == ["internet-to-private"]
    account.sink.refuse.clear()
    account.process(both, "another-request", NOW + 1).raise_if_unsent()
    assert [page.attributes["detector"] for page in account.sink.sent] == [
        "internet-to-private", "blocked-connection",
    ]  # fmt: skip


def test_a_failed_table_is_not_called_again_in_the_batch() -> None:
    """Every call costs seconds, and all pages are sent nevertheless."""
    account = Account()
    account.claims.away = {"claim", "confirm"}
    result = account.process(batch(*(line(f"10.0.1.{i}", 1000 + i) for i in range(4))))
    assert (len(account.sink.sent), result.state_unavailable, account.claims.calls) == (4, 1, 1)


def test_alerts_beyond_the_limit_are_one_more_page() -> None:
    """The most severe are sent individually, the others together; the retry sends nothing twice."""
    account = Account()
    prober = [line("10.0.8.66", port) for port in range(20, 30)]
    many = batch(*(line(f"10.0.1.{i}", 1000 + i) for i in range(60)), *prober)
    account.process(many)
    assert len(account.sink.sent) == MAX_SINGLE + 1
    assert account.sink.sent[0].attributes["detector"] == "host-probing"
    storm = account.sink.sent[-1]
    assert storm.subject == "[HIGH] 36 more findings in one batch of log stream eni-db-all (eu-west-1)"
    assert (storm.document["findings"], storm.attributes["detector"]) == (36, "alert-rollup")
    account.process(many, "retry", NOW + 60)
    assert len(account.sink.sent) == MAX_SINGLE + 1


def test_a_new_alert_after_a_storm_is_sent_individually() -> None:
    """A storm cannot hide it: known findings take no place in the limit."""
    account = Account()
    storm = [line(f"10.0.1.{i}", 1000 + i) for i in range(60)]
    account.process(batch(*storm, name="a"))
    account.sink.sent.clear()
    result = account.process(batch(*storm, line("10.0.9.9", 2000), name="b"), "attempt-2", NOW + 600)
    assert [page.document["subject"] for page in account.sink.sent] == ["10.0.9.9"]
    assert result.suppressed == 60


def test_a_storm_that_cannot_be_sent_is_left_to_the_retry() -> None:
    """All of it."""
    account = Account(sink=MemorySink(refuse={"alert-rollup"}))
    many = batch(*(line(f"10.0.1.{i}", 1000 + i) for i in range(30)))
    first = account.process(many)
    assert (len(account.sink.sent), len(first.delivery.unsent)) == (MAX_SINGLE, 5)
    account.sink.refuse.clear()
    account.process(many, "retry", NOW + 60).raise_if_unsent()
    assert account.sink.sent[-1].document["findings"] == 5


def test_a_flood_costs_a_bounded_number_of_writes() -> None:
    """And its page contains their number."""
    account = Account()
    result = account.process(batch(*(line(f"10.{i // 250}.1.{i % 250}", 1000 + i) for i in range(1000))))
    assert len(account.sink.sent) == MAX_SINGLE + 1
    assert account.sink.sent[-1].document["findings"] == 1000 - MAX_SINGLE
    assert 2 * MAX_SINGLE < account.claims.calls + account.evidence.writes <= MOST_WRITES
    assert len(result.delivery.rolled_up) == MOST_FINDINGS - MAX_SINGLE + 1  # and one for all the others
    assert (result.findings, result.findings_summed_up) == (1000, 1000 - MOST_FINDINGS)


def test_a_flood_costs_a_bounded_number_of_writes_with_many_sinks_too() -> None:
    """Each gets a part of the claims, and a roll-up of all others."""
    more = [MemorySink(name=f"service-{number}") for number in range(5)]
    account = Account(more_sinks=MoreSinks(by_route={Route.PAGES: more, Route.OPERATIONS: more}))
    account.process(batch(*(line(f"10.{i // 250}.1.{i % 250}", 1000 + i) for i in range(1000))))
    assert account.claims.calls + account.evidence.writes <= MOST_WRITES
    for sink in (account.sink, *more):
        assert sum(each.document.get("findings", 1) for each in sink.sent) == 1000


def test_new_alerts_beyond_the_claim_limit_are_rolled_up_once() -> None:
    """Regardless of the number of known alerts, and not again by a retry."""
    account = Account()
    lines = [line(f"10.{i // 250}.1.{i % 250}", 1000 + i) for i in range(100)]
    account.process(batch(*lines[:60], name="a"))
    account.sink.sent.clear()
    more = batch(*lines, name="b")
    result = account.process(more, "attempt-2", NOW + 60)
    *single, page = account.sink.sent
    assert page.attributes["detector"] == "alert-rollup"
    assert {each.attributes["detector"] for each in single} == {"blocked-connection"}
    assert page.document["findings"] == len(result.delivery.rolled_up) == 40 - len(single) > 0
    again = account.process(more, "attempt-3", NOW + 120)
    assert len(account.sink.sent) == len(single) + 1
    assert again.delivery.rolled_up == result.delivery.rolled_up, "for the log"
    flood = [line(f"10.{i // 250}.2.{i % 250}", 1000 + i) for i in range(200)]
    account.process(batch(*flood, name="c", stream="eni-other-all"), "attempt-4", NOW + 180)
    account.sink.sent.clear()
    account.process(batch(*flood, name="c", stream="eni-other-all"), "attempt-5", NOW + 240)
    assert account.sink.sent == []


def test_when_time_runs_out_the_rest_is_left_to_the_retry() -> None:
    """Otherwise Lambda would stop the function before it writes its metrics."""
    account = Account(seconds_left=5)
    result = account.process(batch(BLOCKED))
    with pytest.raises(PublishFailed, match="time is nearly over"):
        result.raise_if_unsent()
    account.seconds_left = 40
    account.process(batch(BLOCKED), "retry", NOW + 60).raise_if_unsent()
    assert len(account.sink.sent) == 1


def test_if_only_the_time_for_claims_is_over_pages_are_sent_without_claims() -> None:
    """The retry of a batch that computes for long would have no more time."""
    account = Account(seconds_left=RESERVE - 1)
    result = account.process(batch(BLOCKED))
    result.raise_if_unsent()
    assert (len(account.sink.sent), account.claims.calls) == (1, 0)
    assert result.delivery.state_unavailable == 1


def test_without_the_state_table_pages_are_sent() -> None:
    """A duplicate page is better than none; the failure is counted."""
    account = Account()
    account.claims.away = {"claim", "confirm"}
    result = account.process(batch(BLOCKED))
    assert (len(account.sink.sent), result.state_unavailable) == (1, 1)
    result.raise_if_unsent()


def test_a_failed_confirmation_does_not_fail_the_batch() -> None:
    """The page is sent: a retry would send it again."""
    account = Account()
    account.claims.away = {"confirm"}
    result = account.process(batch(BLOCKED))
    result.raise_if_unsent()
    assert (result.notifications, result.state_unavailable) == (1, 1)


def test_a_failed_release_leaves_the_claim_to_its_lease() -> None:
    """The batch fails because of the page, not because of the table."""
    account = Account(sink=MemorySink(refuse={"blocked-connection"}))
    account.claims.away = {"release"}
    result = account.process(batch(BLOCKED))
    assert (len(result.delivery.unsent), result.state_unavailable) == (1, 1)


def test_both_interfaces_of_a_rejected_connection_are_one_incident() -> None:
    """The client's and the server's interface log it; on-call gets one page."""
    account = Account()
    account.process(batch(BLOCKED, name="server"))
    account.process(batch(BLOCKED.replace("eni-db", "eni-app"), name="client"))
    assert len(account.sink.sent) == 1


def test_another_account_is_another_incident() -> None:
    """Addresses repeat between accounts; the record's own account counts."""
    account = Account()
    account.process(batch(BLOCKED, name="a"))
    account.process(batch(BLOCKED.replace("111122223333", "444455556666"), name="b"))
    accounts = [page.attributes["account"] for page in account.sink.sent]
    assert accounts == ["111122223333", "444455556666"]


def test_a_page_is_valid_json() -> None:
    """The document can be stored and sent as it is."""
    account = Account()
    account.process(batch(BLOCKED))
    (page,) = account.sink.sent
    assert isinstance(page, Notification)
    assert json.loads(json.dumps(page.document)) == page.document


# ---- log formats and unparsed lines

SHORT = LogFormat.parse("${srcaddr} ${dstaddr} ${dstport} ${protocol} ${packets} ${action} ${tcp-flags}")
ANOTHER = LogFormat.parse("${protocol} ${srcaddr} ${dstport} ${dstaddr} ${action} ${packets} ${tcp-flags}")
OF_SHORT = "10.0.1.20 10.0.2.30 5432 6 6 REJECT 2"
OF_ANOTHER = "6 10.0.1.21 5432 10.0.2.30 REJECT 6 2"
GROUP = "/flow-warden/flow-logs"


def test_each_line_is_parsed_with_its_own_format() -> None:
    """Formats are distinguished by the number of tokens, then by the types of the fields."""
    account = Account(formats=FakeFormats({GROUP: [SHORT.to_log_format(), ANOTHER.to_log_format()]}))
    result = account.process(batch(OF_SHORT, BLOCKED, OF_ANOTHER))
    assert (result.flows, result.malformed) == (3, 0)
    assert sorted(page.document["subject"] for page in account.sink.sent) == ["10.0.1.20", "10.0.1.21"]


def test_a_new_format_is_learned_within_the_batch() -> None:
    """The batch is parsed again: nothing is lost and nothing is sent twice."""
    account = Account(formats=FakeFormats({GROUP: [DEFAULT_LOG_FORMAT.to_log_format()]}))
    warm = account.container()
    warm.process(batch(line("10.0.1.5", 443, "ACCEPT"), name="a"), Invocation("attempt-1", lambda: 40.0), NOW)
    account.formats.groups[GROUP].append(SHORT.to_log_format())
    result = warm.process(
        batch(OF_SHORT, *[line("10.0.1.5", 443, "ACCEPT")] * 3),
        Invocation("attempt-2", lambda: 40.0),
        NOW + WAIT_SECONDS,
    )
    assert (result.flows, result.malformed, result.unparsed_batches, len(account.sink.sent)) == (4, 0, 0, 1)


def test_lines_that_match_two_formats_are_malformed_and_reported() -> None:
    """Never guessed: the two flow logs differ only in the order of their addresses."""
    swapped = LogFormat(("dstaddr", "srcaddr", *SHORT.names[2:]))
    account = Account(formats=FakeFormats({GROUP: [SHORT.to_log_format(), swapped.to_log_format()]}))
    result = account.process(batch(OF_SHORT, OF_SHORT))
    assert (result.flows, result.malformed, result.unparsed_batches) == (0, 2, 1)
    assert "several formats" in account.operations.sent[0].text
    assert account.sink.sent == []


def test_unparsed_lines_are_reported_to_operations_once_per_window() -> None:
    """Not to on-call; pages about parsed lines are sent."""
    account = Account()
    result = account.process(batch(BLOCKED, *["nonsense"] * 9, name="a"))
    assert (result.unparsed_batches, result.findings, result.notifications) == (1, 2, 2)
    assert [sent.attributes["detector"] for sent in account.operations.sent] == ["unparsed-lines"]
    assert [sent.attributes["detector"] for sent in account.sink.sent] == ["blocked-connection"]
    repeat = account.process(batch("other nonsense", name="b"), now=NOW + 600)
    assert (repeat.unparsed_batches, repeat.notifications, repeat.suppressed) == (1, 0, 1)
    account.process(batch("nonsense", name="c"), now=NOW + 3600)
    assert [sent.document["suppressed_batches"] for sent in account.operations.sent] == [0, 1]


def test_an_isolated_malformed_line_is_not_a_finding() -> None:
    """It is counted."""
    account = Account()
    result = account.process(batch(BLOCKED, "nonsense"))
    assert (result.malformed, result.unparsed_batches, account.operations.sent) == (1, 0, [])


def test_an_unsent_report_of_unparsed_lines_fails_the_batch() -> None:
    """Like an unsent page: the retry sends it, and repeats no page."""
    account = Account(operations=MemorySink(name="memory:operations", refuse={"unparsed-lines"}))
    both = batch(BLOCKED, *["nonsense"] * 9)
    with pytest.raises(PublishFailed, match=r"not sent, .*9 of 10 lines"):
        account.process(both).raise_if_unsent()
    account.operations.refuse.clear()
    account.process(both, now=NOW + 60).raise_if_unsent()
    assert (len(account.operations.sent), len(account.sink.sent)) == (1, 1)


def test_unavailable_formats_are_counted_and_fail_nothing() -> None:
    """The fallback is used."""
    account = Account(formats=FakeFormats(throttled=True))
    result = account.process(batch(BLOCKED))
    assert (result.flows, result.log_formats_unavailable, len(account.sink.sent)) == (1, 1, 1)
    assert Account().process(batch(BLOCKED)).log_formats_unavailable == 0


def test_malformed_lines_do_not_cause_an_ec2_query_per_batch() -> None:
    """One query per waiting time, for any number of containers."""
    account = Account()
    for second in (*range(0, WAIT_SECONDS, 20), WAIT_SECONDS - 1):
        account.process(batch("nonsense", name=str(second)), now=NOW + second)
    assert len(account.formats.asked) == 1
    account.process(batch("nonsense"), now=NOW + WAIT_SECONDS)
    assert len(account.formats.asked) == 2


@dataclass
class DeafToHeartbeats(MemoryEvidence):
    """A table that accepts everything except heartbeats."""

    def add(self, addition: Addition) -> Sets:
        """See the port."""
        if addition.key.startswith(HEARTBEATS.prefix):
            raise StateUnavailable("ThrottlingException, by the test")
        return super().add(addition)


def test_a_failed_heartbeat_write_does_not_affect_detectors() -> None:
    """Their evidence is written nevertheless, and the failure is counted."""
    evidence = DeafToHeartbeats()
    asked = [line("10.0.1.66", 22).replace("eni-db", "eni-0a").replace("2.30", f"2.{n}") for n in range(20)]
    many = batch(*asked)
    result = Account(evidence=evidence).process(many)
    assert result.host_history_unavailable == 1
    assert any(key.startswith(CONTACTS_HOUR.prefix) for key in evidence.items)


def test_alerts_to_operations_are_rolled_up_separately() -> None:
    """Not as an incident for on-call, and without mentioning a scan."""
    rest = [
        Alert(key=str(number), route=Route.OPERATIONS, title="eni-0a: no records.", render=lambda _: PAGE)
        for number in range(3)
    ]
    seen = Seen(
        batch=batch(),
        deployment=Deployment(region="eu-west-1", suppression_minutes=60, runbooks="docs/runbooks"),
        now=0,
    )
    sent = roll_up(rest, seen).notification(Claim(state=ClaimState.CLAIMED))
    assert (sent.attributes["kind"], sent.attributes["severity"]) == ("alert-rollup", "medium")
    assert "a deleted or changed flow log" in sent.text
    paging = roll_up([replace(each, route=Route.PAGES) for each in rest], seen)
    assert paging.notification(Claim(state=ClaimState.CLAIMED)).attributes["kind"] == "incident"


PAGE = Notification(subject="", text="", document={}, attributes={})
