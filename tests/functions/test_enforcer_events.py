"""The example events of the enforcer, through the real handler, against a fake EC2."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

import enforcer
from flowwarden.aws.ec2.flow_logs import classify
from flowwarden.bootstrap.enforcer import build
from flowwarden.enforcer.decide.delivery_role import DeliveryRole
from flowwarden.enforcer.outbox import Unsent
from flowwarden.enforcer.reconcile import Enforcer
from flowwarden.enforcer.state.inventory import FlowLog, LogGroup, Vpc
from flowwarden.enforcer.work_queue import WorkItem
from flowwarden.errors import CallFailed, EnforcementIncomplete, PublishFailed, StateUnavailable
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.flow_logs import SETTINGS
from flowwarden.settings import EnforcerSettings
from flowwarden.unreadable import Unreadable
from tests.enforcer.cases import changed
from tests.enforcer.fakes import MONITOR, FakeOutbox, FakeRoles, Fakes, FakeWorkQueue, GroupsWithoutProtection
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.functions.captured import captured
from tests.hostile import is_visible, places, poisoned, texts
from tests.notify.fakes import MemorySink
from tests.outside import DATA
from tests.template import stack

ROOT = Path(__file__).parents[2]
EVENTS = sorted((ROOT / "events" / "enforcer").glob("*.json"))
REAL = DATA / "events"
REAL_VPC = "vpc-06fe1a64761a0f720"

ENVIRONMENT = {
    "AWS_REGION": "eu-west-1",
    "LOG_FORMAT": "${version} ${srcaddr} ${dstaddr} ${action}",
    "OPERATIONS_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:operations",
    "ACCOUNT_ID": "111122223333",
    "FLOW_LOG_GROUP_NAME": "/flow-warden/flow-logs",
    "DELIVERY_ROLE_ARN": "arn:aws:iam::111122223333:role/delivery",
    "STACK_NAME": "flow-warden",
    "STATE_TABLE": "state",
    "MONITOR_FUNCTION_ARN": MONITOR,
    "ENFORCER_ROLE_ARN": "arn:aws:iam::111122223333:role/enforcer",
}


@dataclass
class Context:
    """The members of a Lambda context that Powertools uses."""

    function_name: str = "enforcer"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:111122223333:function:enforcer"
    aws_request_id: str = "6e1c9ad0-0000-4000-8000-000000000001"

    def get_remaining_time_in_millis(self) -> int:
        """The remaining time, as Lambda returns it."""
        return 300_000


@dataclass
class Run:
    """A handler on fakes."""

    ec2: FakeEc2
    fakes: Fakes
    now: float
    environment: dict[str, str]

    @property
    def sink(self) -> MemorySink:
        """The sink that receives reports."""
        return self.fakes.sink

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        """Invoke the function with an event."""
        settings = EnforcerSettings.from_mapping(self.environment)
        handler = enforcer.make_handler(lambda _: build(settings, self.fakes.aws()), now=lambda: self.now)
        return handler(event, Context())  # type: ignore[arg-type]  # stands in for Lambda's


def read(path: Path) -> dict[str, Any]:
    """Read an example event."""
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def ec2_of(described: dict[str, Any]) -> FakeEc2:
    """The EC2 that an event's `account` describes."""
    faults = described.get("refuses", {})
    return FakeEc2(
        vpcs_listed=msgspec.convert(described["vpcs"], list[Vpc]),
        existing=flow_logs(described["flow_logs"]),
        create_faults={
            vpc_id: classify("CreateFlowLogs", fault["code"], fault["message"])
            for vpc_id, fault in faults.items()
        },
        deleted_but_listed=set(described.get("deleted_but_listed", [])),
        late=flow_logs(described.get("late", [])),
        interfaces_listed=msgspec.convert(described.get("interfaces", []), list[NetworkInterface]),
    )


def moment(event: dict[str, Any]) -> float:
    """The time of an event, Unix seconds."""
    return datetime.fromisoformat(event.get("time", "2026-11-02T09:30:00Z")).timestamp()


def run_of(case: dict[str, Any]) -> Run:
    """The handler in the account of an example event."""
    described, ec2 = case["account"], ec2_of(case["account"])
    fakes = Fakes(ec2=ec2)  # as on the emulator, where the same events run
    if "log_groups" in described:
        groups = msgspec.convert(described["log_groups"], list[LogGroup])
        fakes.groups = GroupsWithoutProtection({each.name: each for each in groups})
    if "role" in described:
        fakes.roles = FakeRoles(msgspec.convert(described["role"], DeliveryRole | None))
    pending = msgspec.convert(described.get("pending", []), list[WorkItem])
    fakes.queue = FakeWorkQueue({each.vpc_id: each for each in pending})
    return Run(
        ec2=ec2,
        fakes=fakes,
        now=moment(case["event"]) + case.get("seconds_later", 30),
        environment={**ENVIRONMENT, **case.get("settings", {})},
    )


@contextmanager
def logged() -> Iterator[list[dict[str, Any]]]:
    """The log lines that the handler writes in this context, decoded."""
    lines = list[dict[str, Any]]()
    with captured(enforcer.logger) as log:
        try:
            yield lines
        finally:
            lines.extend(json.loads(line) for line in log.getvalue().splitlines())


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_an_event_has_the_expected_result(path: Path) -> None:
    """Each example event leads to the result and the notification in its file."""
    case = read(path)
    run, expected = run_of(case), case["expected"]
    result = run(case["event"])
    assert result.pop("reason")
    if "steps" in expected:
        planned = {
            each["vpc"]: [step["type"] for step in each["steps"]] for each in result.pop("plan")["vpcs"]
        }
        assert planned == expected["steps"]
    assert result == expected["result"]
    assert_sent(run.sink, expected["notification"])


def assert_sent(sink: MemorySink, expected: dict[str, Any] | None) -> None:
    """The notification sent is the expected one."""
    if expected is None:
        assert sink.sent == []
        return
    (sent,) = sink.sent
    assert sent.subject == expected["subject"]
    assert sent.attributes == expected["attributes"]
    for part in expected["text"]:
        assert part in sent.text


def test_every_rule_about_api_calls_has_an_example() -> None:
    """One of its calls, and every call about VPCs and flow logs."""
    named = {read(path)["event"].get("detail", {}).get("eventName") for path in EVENTS}
    rules = {
        name: set(rule["EventPattern"]["detail"]["eventName"])
        for name, rule in stack.of_type("AWS::Events::Rule").items()
        if "eventName" in rule.get("EventPattern", {}).get("detail", {})
    }
    assert [name for name, calls in rules.items() if not calls & named] == []
    assert rules["VpcCreatedRule"] | rules["FlowLogDeletedRule"] <= named


def test_a_second_delivery_of_an_event_changes_nothing() -> None:
    """EventBridge delivers at least once: the second run finds the VPC covered, and creates nothing."""
    case = read(ROOT / "events/enforcer/create-vpc.json")
    run = run_of(case)
    run(case["event"])
    assert run(case["event"])["covered"] == ["vpc-0a10c0de00000001"]
    assert len(run.ec2.created) == len(run.sink.sent) == 1


def test_a_change_of_rules_is_stored_and_starts_no_run() -> None:
    """Also in a dry run. It is stored before the function returns, and without the table Lambda retries."""
    case = read(ROOT / "events/enforcer/revoke-security-group-ingress.json")
    run = run_of(case | {"settings": {"DRY_RUN": "true"}})
    run(case["event"])
    ((change,),) = run.fakes.rule_changes.calls
    assert (change.resource, change.what) == ("sg-0a10c0de00000001", "tcp/5432 10.20.2.0/24")
    assert change.actor == "arn:aws:sts::111122223333:assumed-role/network-admin/maria"
    assert not run.ec2.calls
    run.fakes.rule_changes.away = True
    with pytest.raises(StateUnavailable):
        run(case["event"])


def test_the_service_is_wired_once_while_warm() -> None:
    """The second event uses the service that the first one created; importing creates none."""
    case = read(ROOT / "events/enforcer/sweep-no-change.json")
    run, wirings = run_of(case), []

    def wired(_: enforcer.Clock) -> Enforcer:
        wirings.append("once")
        return build(EnforcerSettings.from_mapping(run.environment), run.fakes.aws())

    handler = enforcer.make_handler(wired, now=lambda: run.now)
    assert wirings == []
    for _ in range(2):
        handler(case["event"], Context())  # type: ignore[arg-type]  # stands in for Lambda's
    assert wirings == ["once"]


def test_metrics_are_emitted_even_if_the_event_is_retried(capsys: pytest.CaptureFixture[str]) -> None:
    """A run that raises, because it cannot queue a later check, still emits its metrics."""
    case = read(ROOT / "events/enforcer/sweep-problems.json")
    run = run_of(case)
    run.ec2.list_fault, run.fakes.queue.broken = CallFailed("InternalError"), True
    with pytest.raises(EnforcementIncomplete):
        run(case["event"])
    assert metrics_in(capsys.readouterr().out) == {
        "FlowLogsCreated": [0.0],
        "VpcsCovered": [0.0],
        "VpcsNotCovered": [1.0],
        "VpcsSkipped": [0.0],
        "VpcsPending": [0.0],
        "FlowLogsReplaced": [0.0],
        "LogGroupsRestored": [0.0],
        "EnforcementFailures": [1.0],
        "EnforcerStateUnreadable": [0.0],
    }


def test_what_cannot_be_read_while_the_report_is_sent_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """In addition to what the run counted before, because the container may not run again."""
    case = read(ROOT / "events/enforcer/create-vpc.json")
    run, notes = run_of(case), Unreadable()

    class Damaged(FakeOutbox):
        def load(self) -> list[Unsent]:
            """One report cannot be read."""
            notes.note("outbox unsent#x", "report cannot be read")
            return []

    run.fakes.outbox = Damaged()
    settings = EnforcerSettings.from_mapping(run.environment)
    ports = replace(run.fakes.aws(), unreadable_items=notes)
    handler = enforcer.make_handler(lambda _: build(settings, ports), now=lambda: run.now)
    with logged() as lines:
        handler(case["event"], Context())  # type: ignore[arg-type]  # stands in for Lambda's
    assert metrics_in(capsys.readouterr().out)["EnforcerStateUnreadable"] == [0.0, 1.0]
    assert [line["what"] for line in lines if "what" in line] == ["outbox unsent#x: report cannot be read"]


def test_metrics_count_the_results(capsys: pytest.CaptureFixture[str]) -> None:
    """Created, covered and skipped VPCs are counted in the namespace FlowWarden."""
    case = read(ROOT / "events/enforcer/sweep.json")
    run_of(case)(case["event"])
    assert metrics_in(capsys.readouterr().out) == {
        "FlowLogsCreated": [1.0],
        "VpcsCovered": [1.0],
        "VpcsNotCovered": [0.0],
        "VpcsSkipped": [1.0],
        "VpcsPending": [0.0],
        "FlowLogsReplaced": [0.0],
        "LogGroupsRestored": [0.0],
        "EnforcementFailures": [0.0],
        "EnforcerStateUnreadable": [0.0],
    }


def metrics_in(output: str) -> dict[str, Any]:
    """The metrics of the only EMF document in a function's output."""
    (document,) = (json.loads(line) for line in output.splitlines() if '"_aws"' in line)
    (described,) = document["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "FlowWarden"
    return {metric["Name"]: document[metric["Name"]] for metric in described["Metrics"]}


def test_the_log_contains_the_result_and_the_actor() -> None:
    """The log has a line for the VPC and one for the run, both with the event's id."""
    case = read(ROOT / "events/enforcer/create-vpc.json")
    with logged() as lines:
        run_of(case)(case["event"])
    created, whole = lines
    assert created["result"] == "CREATED"
    assert created["vpc"] == "vpc-0a10c0de00000001"
    assert whole["actor"] == "arn:aws:sts::111122223333:assumed-role/network-admin/maria"
    assert whole["counts"]["created"] == 1
    assert {line["correlation_id"] for line in lines} == {case["event"]["id"]}


def test_failures_are_logged_as_errors_even_if_no_notification_can_be_sent() -> None:
    """An unreachable topic fails the run, after the result is logged."""
    case = read(ROOT / "events/enforcer/sweep-problems.json")
    run = run_of(case)
    run.sink.away = True
    with logged() as lines, pytest.raises(PublishFailed):
        run(case["event"])
    assert [line["vpc"] for line in lines if line["level"] == "ERROR"][:2] == [
        "vpc-0a10c0de00000001",
        "vpc-0a10c0de00000002",
    ]


def test_a_lost_report_is_sent_by_the_retry(capsys: pytest.CaptureFixture[str]) -> None:
    """SNS fails once: the retry creates nothing, counts nothing as created, and sends the report."""
    case = read(ROOT / "events/enforcer/create-vpc.json")
    run = run_of(case)
    run.ec2.clock, run.sink.away = int(run.now), True
    with pytest.raises(PublishFailed):
        run(case["event"])
    assert metrics_in(capsys.readouterr().out)["FlowLogsCreated"] == [1.0]
    run.sink.away = False
    assert run(case["event"])["created"] == ["vpc-0a10c0de00000001"]
    counted = metrics_in(capsys.readouterr().out)
    assert (counted["FlowLogsCreated"], counted["VpcsCovered"]) == ([0.0], [1.0])
    assert len(run.ec2.created) == len(run.sink.sent) == 1


@pytest.mark.parametrize("event", [None, [], "x", 5])
def test_a_payload_that_is_not_an_event_is_not_an_error(event: Any) -> None:
    """A manual invocation can pass any JSON; the result names its type."""
    case = read(ROOT / "events/enforcer/sweep.json")
    run = run_of(case)
    result = run(event)
    assert (result["kind"], result["reason"]) == ("ignored", f"not an event, but {type(event).__name__}")
    assert run.ec2.asked == []


def test_an_empty_event_is_ignored() -> None:
    """An empty test event changes nothing and does not fail."""
    case = read(ROOT / "events/enforcer/sweep.json")
    assert run_of(case)({})["kind"] == "ignored"


def real(name: str) -> dict[str, Any]:
    """A real CloudTrail record; skips the test if there are none."""
    if not REAL.is_dir():
        pytest.skip(f"the folder of real events, {REAL}, does not exist")
    content = json.loads((REAL / "cloudtrail" / name).read_text())
    record: dict[str, Any] = content[0] if isinstance(content, list) else content
    return record


def run_on(detail: dict[str, Any], *, grace_minutes: int, flow_logs: tuple[FlowLog, ...] = ()) -> Run:
    """The handler in the account and region of a record, with one VPC."""
    account = detail["recipientAccountId"]
    ec2 = FakeEc2([Vpc(vpc_id=REAL_VPC, owner_id=account)], list(flow_logs))
    identity = {"ACCOUNT_ID": account, "AWS_REGION": detail["awsRegion"]}
    policy = {"POLICY": f'{{"flow_logs": {{"grace_minutes": {grace_minutes}}}}}'}
    now = moment(wrapped(detail)) + 60
    return Run(ec2=ec2, fakes=Fakes(ec2=ec2), now=now, environment={**ENVIRONMENT, **identity, **policy})


@pytest.mark.parametrize("name", ["create-vpc.json", "delete-flow-logs.json"])
def test_real_records_go_through_the_handler(name: str) -> None:
    """Real CloudTrail records, in a real envelope, create the missing flow log; the report has the actor."""
    detail = real(name)
    run = run_on(detail, grace_minutes=0)
    assert run(wrapped(detail))["created"] == [REAL_VPC]
    for part in (
        detail["userIdentity"]["arn"],
        detail["sourceIPAddress"],
        detail["userIdentity"]["accessKeyId"],
    ):
        assert part in run.sink.sent[0].text


@pytest.mark.parametrize("name", ["create-vpc.json", "delete-flow-logs.json"])
def test_a_real_call_that_failed_changes_nothing(name: str) -> None:
    """CloudTrail records it too, without a response."""
    detail = real(name) | {"errorCode": "Client.UnauthorizedOperation", "responseElements": None}
    run = run_on(detail, grace_minutes=0)
    assert run(wrapped(detail))["kind"] == "ignored"
    assert (run.ec2.calls, run.sink.sent) == ({}, [])


def test_a_real_deletion_of_several_flow_logs_is_read_completely() -> None:
    """None of them counts as coverage, although EC2 still lists them."""
    detail = real("delete-flow-logs.json")
    asked = detail["requestParameters"]["DeleteFlowLogsRequest"]["FlowLogId"]
    ids = [asked["content"], "fl-0e17aa62a21d4bb00"]
    several = [{"tag": number, "content": each} for number, each in enumerate(ids, 1)]
    detail |= {"requestParameters": {"DeleteFlowLogsRequest": {"FlowLogId": several}}}
    listed = tuple(covering(each) for each in ids)
    run = run_on(detail, grace_minutes=5, flow_logs=listed)
    run.ec2.deleted_but_listed = set(ids)
    assert run(wrapped(detail))["created"] == [REAL_VPC]
    assert all(each in run.sink.sent[0].text for each in ids)


def test_an_unmanaged_flow_log_created_after_a_real_vpc_is_sufficient() -> None:
    """It exists five seconds later; when the grace period is over, there is nothing to do or to report."""
    detail = real("create-vpc.json")
    run = run_on(detail, grace_minutes=5)
    assert run(wrapped(detail))["pending"] == [REAL_VPC]
    run.ec2.existing.append(covering("fl-unmanaged", int(moment(wrapped(detail))) + 5))
    sweep = {"detail-type": "Scheduled Event", "time": detail["eventTime"], "detail": {}}
    retry = sweep | {"detail": {"run": "retry"}}
    for event, seconds, key, vpcs in (
        (retry, 120, "pending", []),
        (retry, 300, "pending", [REAL_VPC]),
        (sweep, 1500, "covered", [REAL_VPC]),
    ):
        run.now = moment(wrapped(detail)) + seconds
        assert run(event)[key] == vpcs
    assert (run.ec2.asked, run.ec2.deleted, run.sink.sent) == ([], [], [])


def flow_logs(documents: list[dict[str, Any]]) -> list[FlowLog]:
    """The flow logs of an event file, where settings are members like the others."""
    names = {each.name for each in SETTINGS}
    return [
        changed(msgspec.convert(each, FlowLog), **{name: each[name] for name in names & each.keys()})
        for each in documents
    ]


def covering(flow_log_id: str, creation_time: int | None = None) -> FlowLog:
    """An unmanaged flow log of the VPC with the desired settings."""
    return FlowLog(
        flow_log_id=flow_log_id,
        resource_id=REAL_VPC,
        settings={"traffic_type": "ALL"},
        log_destination_type="cloud-watch-logs",
        log_group_name="/flow-warden/flow-logs",
        deliver_logs_status="SUCCESS",
        creation_time=creation_time,
    )


def wrapped(detail: dict[str, Any]) -> dict[str, Any]:
    """A CloudTrail record in EventBridge's envelope."""
    envelope: dict[str, Any] = json.loads((REAL / "eventbridge-envelope.json").read_text())
    return {
        **envelope,
        "detail-type": "AWS API Call via CloudTrail",
        "account": detail["recipientAccountId"],
        "region": detail["awsRegion"],
        "time": detail["eventTime"],
        "detail": detail,
    }


def test_wiring_needs_only_the_environment() -> None:
    """`wire` creates the whole service from the function's environment, without a call to AWS."""
    environment = {
        **ENVIRONMENT,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "PYTHONPATH": f"{ROOT}/layers/flowwarden:{ROOT}/functions/enforcer",
    }
    done = subprocess.run(
        [sys.executable, "-c", "import enforcer; print(type(enforcer.wire(enforcer.Clock())).__name__)"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "Enforcer"


def test_hostile_text_stays_within_its_line_of_the_log() -> None:
    """Each text of an event in turn: every line of the log is one JSON document of visible characters."""
    case = read(ROOT / "events" / "enforcer" / "delete-flow-logs.json")
    paths = list(places(case["event"]["detail"]))
    for path in paths:
        run = run_of(case)
        with captured(enforcer.logger) as stream:
            result = run({**case["event"], "detail": poisoned(case["event"]["detail"], path)})
        assert is_visible(stream.getvalue())
        assert all(json.loads(line) for line in stream.getvalue().splitlines())
        assert all(is_visible(each) for each in texts(result))
        assert all(is_visible(each.text) for each in run.sink.sent)
    assert paths
