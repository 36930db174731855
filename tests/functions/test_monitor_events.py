"""The example events of the monitor, and events of other projects, through the real handler."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import monitor
from benchmarks.layouts import log_format
from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.errors import CorruptPayload, NotASubscriptionEvent, PayloadTooLarge, PublishFailed
from flowwarden.notify.claims import ClaimTerms
from flowwarden.policy.policy import Policy
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.records.subscription import encode
from flowwarden.settings import MonitorSettings
from tests.examples import examples
from tests.functions.captured import captured
from tests.hostile import HOSTILE, is_visible
from tests.monitor.fakes_interfaces import FakeDirectory
from tests.monitor.fakes_log_formats import FakeFormats, MemoryLogFormats
from tests.monitor.fakes_state import MemoryEvidence
from tests.notify.fakes import MemoryClaims, MemorySink
from tests.outside import DATA

ROOT = Path(__file__).parents[2]
EVENTS = sorted((ROOT / "events" / "monitor").glob("*.json"))
REAL = DATA / "events" / "cloudwatch-logs"


ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "LOG_FORMAT": log_format(),
    "OPERATIONS_TOPIC_ARN": "arn:aws:sns:us-east-1:111122223333:operations",
    "PAGES_TOPIC_ARN": "arn:aws:sns:us-east-1:111122223333:pages",
    "STATE_TABLE": "state",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/monitor",
}


@dataclass
class Context:
    """The members of a Lambda context that Powertools uses."""

    function_name: str = "monitor"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:111122223333:function:monitor"
    aws_request_id: str = "6e1c9ad0-0000-4000-8000-000000000002"

    def get_remaining_time_in_millis(self) -> int:
        """Sufficient time."""
        return 40_000


@dataclass
class Harness:
    """The real handler, on fakes."""

    environment: dict[str, str] = field(default_factory=dict)
    sink: MemorySink = field(default_factory=MemorySink)
    operations: MemorySink = field(default_factory=lambda: MemorySink(name="memory:operations"))
    log_formats: list[str | None] = field(default_factory=list)
    """The log formats of the flow logs that write to the log group, as EC2 returns them."""
    log_group: str = "/flow-warden/flow-logs"
    formats: FakeFormats = field(default_factory=FakeFormats)

    def run(self, event: dict[str, Any]) -> dict[str, Any]:
        """Invoke the handler."""
        context: Any = Context()
        return self.handler()(event, context)

    def handler(self) -> monitor.Handler:
        """The handler of a new container."""
        return monitor.make_handler(self._wire, lambda: 1_764_000_120.0)

    def _wire(self) -> monitor.Wiring:
        self.formats.groups = {self.log_group: self.log_formats}
        settings = MonitorSettings.from_mapping(ENVIRONMENT | self.environment)
        ports = MonitorPorts(
            formats=self.formats,
            format_store=MemoryLogFormats(),
            interfaces=FakeDirectory(),
            state=MemoryEvidence(),
            claims=MemoryClaims(ClaimTerms(suppression=3600, lease=50)),
            pages=self.sink,
            operations=self.operations,
            warn=monitor.logger.warning,
        )
        service = build(
            ports,
            Policy.from_json(settings.policy),
            (LogFormat.parse(settings.log_format), DEFAULT_LOG_FORMAT),
            region=settings.aws_region,
            suppression_minutes=60,
            runbooks=settings.runbook_url,
        )
        return settings, service


def document(*lines: str, group: str = "/flow-warden/flow-logs") -> dict[str, Any]:
    """A subscription document with these lines."""
    events = [{"id": str(number), "timestamp": 1, "message": text} for number, text in enumerate(lines)]
    return {
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": group,
        "logStream": "eni-1-all", "subscriptionFilters": ["f"], "logEvents": events,
    }  # fmt: skip


BLOCKED = "2 111122223333 eni-1 10.0.1.20 10.0.2.30 49152 5432 6 6 360 1764000000 1764000058 REJECT OK"


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_an_event_has_the_expected_result(path: Path) -> None:
    """Each example event leads to the result and the notifications in its file."""
    readable = json.loads(path.read_text())
    harness = Harness(readable.get("settings", {}), log_formats=readable.get("log_formats", []))
    result = harness.run(encode(readable["event"]))
    expected = readable["expected"]
    if expected.get("control"):
        assert result == {"control": True}
        assert harness.sink.sent == []
        return
    counts = {name: result[metric] for metric, name in monitor.METRICS.items() if name in expected["counts"]}
    assert counts == expected["counts"]
    for sink, route in ((harness.sink, "pages"), (harness.operations, "operations")):
        wanted = expected.get(route, [])
        assert len(sink.sent) == len(wanted), route
        for sent, members in zip(sink.sent, wanted, strict=True):
            assert {name: sent.document[name] for name in members} == members


def test_there_is_an_example_of_every_kind_of_event() -> None:
    """So the last example of a kind is not deleted by mistake."""
    assert {path.stem for path in EVENTS} >= {
        "reject-burst", "accept-only", "gaps", "ipv6", "custom-format", "control-message", "malformed-lines",
        "unexpected-egress", "internet-to-private", "host-probing", "two-formats",
        "indistinguishable-formats", "unparsed-lines", "records-skipped", "rejected-replies-too-few",
        "rejected-replies", "scan", "resolver-replies", "service-blocked", "transit-gateway",
        "idle-connections", "udp-between-client-ports", "egress-denied",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("event", "error", "message"),
    [
        ({}, NotASubscriptionEvent, "no awslogs.data"),
        ({"awslogs": None}, NotASubscriptionEvent, "no awslogs.data"),
        ({"awslogs": {"data": 5}}, NotASubscriptionEvent, "int, not base64 text"),
        ({"awslogs": {"data": "***"}}, CorruptPayload, "not valid base64"),
        ({"awslogs": {"data": ""}}, CorruptPayload, "neither gzip nor zlib"),
    ],
)
def test_an_invalid_event_raises_its_error(
    event: dict[str, Any], error: type[Exception], message: str
) -> None:
    """The whole batch goes to the failure queue; the message contains the reason."""
    with pytest.raises(error, match=message):
        Harness().run(event)


def test_a_decompression_bomb_is_rejected_at_the_limit() -> None:
    """The setting is in MiB; the message says how to raise it."""
    with pytest.raises(PayloadTooLarge, match=r"\(1 MiB\).*MAX_INFLATED_MIB"):
        Harness({"MAX_INFLATED_MIB": "1"}).run(encode(document("x" * 2_000_000)))


@given(st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=20))
@examples(0.2)
def test_the_log_group_of_a_function_is_never_processed(name: str) -> None:
    """Neither the monitor's own, which would be an endless loop, nor another one, whatever invokes it."""
    harness = Harness()
    for group in (f"/aws/lambda/{name}", "/aws/lambda/monitor"):
        assert harness.run(encode(document(BLOCKED, group=group))) == {"skipped": group}
    renamed = Harness({"AWS_LAMBDA_LOG_GROUP_NAME": f"/own/{name}"})
    assert renamed.run(encode(document(BLOCKED, group=f"/own/{name}"))) == {"skipped": f"/own/{name}"}
    assert (harness.sink.sent, renamed.sink.sent) == ([], [])


def test_account_group_and_format_come_from_the_batch() -> None:
    """An existing log group: another name, a format without account that EC2 describes, another owner."""
    names = "${log-status} ${action} ${dstport} ${srcport} ${protocol} ${dstaddr} ${srcaddr} ${interface-id}"
    log_format = f"{names} ${{packets}} ${{bytes}} ${{end}} ${{start}}"
    line = "OK REJECT 5432 49152 6 10.0.2.30 10.0.1.20 eni-1 6 360 1764000058 1764000000"
    group = "/aws/vpc/vpc-1"
    harness = Harness(log_formats=[log_format], log_group=group)
    theirs = document(line, group=group) | {"owner": "444455556666"}
    assert harness.run(encode(theirs))["Notifications"] == 1
    (page,) = harness.sink.sent
    assert page.document["account"] == page.attributes["account"] == "444455556666"
    assert group in page.text
    assert harness.formats.asked == [group]
    own = Harness(log_formats=[log_format], log_group=group)
    own.run(encode(document(line, group=group)))
    assert own.sink.sent[0].document["incident"] != page.document["incident"]


def test_an_inhibited_finding_is_logged_with_the_detector_that_inhibits_it() -> None:
    """And counts in its metric."""
    event = json.loads((ROOT / "events" / "monitor" / "internet-to-private.json").read_text())
    harness = Harness(environment=event["settings"])
    with captured(monitor.logger) as stream:
        result = harness.run(encode(event["event"]))
    logged = [json.loads(line) for line in stream.getvalue().splitlines()]
    inhibited = [(each["detector"], each["inhibited_by"]) for each in logged if each.get("inhibited_by")]
    assert inhibited == [("internet-to-admin-port", "internet-to-private")]
    assert (result["Inhibited"], result["Muted"], result["Notifications"]) == (1, 0, 1)


def test_a_page_that_cannot_be_sent_fails_the_invocation() -> None:
    """Lambda retries the batch."""
    harness = Harness(sink=MemorySink(refuse={"blocked-connection"}))
    with pytest.raises(PublishFailed, match="will be retried"):
        harness.run(encode(document(BLOCKED)))


def test_metrics_are_emitted_even_if_the_invocation_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """In CloudWatch's embedded metric format."""
    with pytest.raises(PublishFailed):
        Harness(sink=MemorySink(refuse={"blocked-connection"})).run(encode(document(BLOCKED, "nonsense")))
    by_detector, metrics = emitted(capsys)
    assert (by_detector["detector"], by_detector["Findings"]) == ("blocked-connection", [1.0])
    assert (metrics["Flows"], metrics["Malformed"], metrics["Findings"]) == ([1.0], [1.0], [1.0])


@pytest.mark.parametrize(
    "line", [BLOCKED, "2 111122223333 eni-1 - - - - - - - 1764000000 1764000058 - NODATA"]
)
def test_only_metrics_that_are_not_zero_are_emitted(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And `Flows`: the metrics are most of the log, which is the largest part of the cost."""
    result = Harness().run(encode(document(line)))
    names = {each["Name"] for each in emitted(capsys)[-1]["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert names - {"Delay"} == {"Batches", "Flows", *(name for name, number in result.items() if number)}
    assert len(names) < 10


def emitted(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The documents in CloudWatch's embedded metric format, in order."""
    return [
        json.loads(line)
        for line in capsys.readouterr().out.splitlines()
        if "_aws" in line and "ColdStart" not in line
    ]


def test_the_delay_begins_at_the_end_of_the_newest_window(capsys: pytest.CaptureFixture[str]) -> None:
    """In seconds. The handler runs at 1,764,000,120; the windows end 62 s and 122 s before."""
    older = BLOCKED.replace("1764000000 1764000058", "1763999940 1763999998")
    Harness().run(encode(document(older, BLOCKED)))
    metrics = emitted(capsys)[-1]
    assert metrics["Delay"] == [62.0]
    (described,) = metrics["_aws"]["CloudWatchMetrics"]
    assert {"Name": "Delay", "Unit": "Seconds"} in described["Metrics"]


def test_a_window_that_ends_in_the_future_has_no_negative_delay(capsys: pytest.CaptureFixture[str]) -> None:
    """Clocks differ a little."""
    Harness().run(encode(document(BLOCKED.replace("1764000058", "1764000130"))))
    assert emitted(capsys)[-1]["Delay"] == [0.0]


def test_a_batch_without_flows_has_no_delay_and_no_findings(capsys: pytest.CaptureFixture[str]) -> None:
    """A zero would mean that the records are current, and each metric costs money."""
    Harness().run(encode(document("2 111122223333 eni-1 - - - - - - - 1764000000 1764000058 - NODATA")))
    (metrics,) = emitted(capsys)
    assert "Delay" not in metrics


def test_records_that_no_detector_can_judge_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Records of a transit gateway; none of a VPC."""
    Harness(environment={"LOG_FORMAT": "${tgw-id} ${srcaddr} ${dstaddr} ${start} ${end}"}).run(
        encode(document(*["tgw-1 10.1.0.5 10.2.0.9 1764000000 1764000058"] * 3))
    )
    Harness().run(encode(document(BLOCKED)))
    counted = [each["NotInspected"] for each in emitted(capsys) if "NotInspected" in each]
    assert counted == [[3.0]]


def test_a_page_names_the_runbook_where_the_stack_says_it_is() -> None:
    """In the text and in the document; by default its path in the project."""
    for environment, base in (
        ({}, "docs/runbooks"),
        ({"RUNBOOK_URL": "https://wiki.example.com/fw"}, "https://wiki.example.com/fw"),
    ):
        harness = Harness(environment=environment)
        harness.run(encode(document(BLOCKED)))
        (page,) = harness.sink.sent
        assert page.document["runbook"] == f"{base}/blocked-connection.md"
        assert f"\n  Runbook: {base}/blocked-connection.md\n" in page.text


@pytest.mark.skipif(not REAL.exists(), reason=f"the folder of real payloads, {REAL}, does not exist")
@pytest.mark.parametrize("name", ["lambda-go", "powertools-data-message", "powertools-policy-level-zlib"])
def test_payloads_of_other_projects_are_read(name: str) -> None:
    """Their lines are not flow records: each counts as malformed; none is fatal or causes a page."""
    harness = Harness()
    result = harness.run(json.loads((REAL / f"{name}.json").read_text()))
    assert result["Malformed"] > 0
    assert (result["Flows"], result["UnparsedBatches"], harness.sink.sent) == (0, 1, [])
    assert len(harness.operations.sent) == 1


def test_hostile_text_stays_within_its_line_of_the_log_and_of_a_page() -> None:
    """In the names of log group and log stream, in a field of a record, and in a malformed line."""
    text = HOSTILE.replace("\ud800", "")
    field = BLOCKED.replace("eni-1", f"eni-\u3164{'a' * 100}")
    batch = document(BLOCKED, field, *[f"{BLOCKED}{text}", text] * 20, group=f"/flow-logs{text}")
    batch["logStream"] = text
    harness = Harness()
    with captured(monitor.logger) as stream:
        harness.run(encode(batch))
    assert is_visible(stream.getvalue())
    logged = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert any(each.get("log_stream") == text for each in logged)
    sent = [*harness.sink.sent, *harness.operations.sent]
    assert {each.attributes["detector"] for each in sent} == {"blocked-connection", "unparsed-lines"}
    assert all(is_visible(each.text) and "\nNOT COVERED" not in each.text for each in sent)
