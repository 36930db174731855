"""The dispatcher on the deployed stack: it resolves incidents, and sends what stayed pending, each once."""

from __future__ import annotations

import json
import time
from typing import Any, Final

import pytest

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.lifecycle import OPEN
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import ClaimKey, Owner
from flowwarden.notify.incident import Incident
from flowwarden.notify.pending import StoredNotification
from flowwarden.records.subscription import encode
from local.environment import PROJECT
from local.inbox import Delivery
from local.incidents import TERMS
from local.payload import DISPATCHER, MONITOR, read
from local.sandbox import State
from local.scenario import Stage

pytestmark = pytest.mark.e2e

REFUSED: Final = 7200
"""Seconds since the traffic of the incident: longer than it takes until the incident is over."""


def group_of(stage: Stage) -> str:
    """A log group of these tests alone: records of other tests do not show that an incident is over."""
    return f"{stage.stack.flow_log_group}-dispatcher"


def records(stage: Stage, host: int, ended: int, action: str) -> dict[str, Any]:
    """A batch of three records that ended at a time (Unix seconds)."""
    cells = {
        "version": "5", "account-id": "111122223333", "interface-id": f"eni-0e2e0000000032{host:02}",
        "srcaddr": f"10.32.0.{host}", "dstaddr": "10.32.9.9", "srcport": "41000", "dstport": "5432",
        "protocol": "6", "packets": "3", "bytes": "180", "action": action, "log-status": "OK",
        "start": str(ended - 60), "end": str(ended), "tcp-flags": "2",
        "pkt-srcaddr": f"10.32.0.{host}", "pkt-dstaddr": "10.32.9.9", "flow-direction": "egress",
    }  # fmt: skip
    names = stage.stack.log_format.replace("$", "").replace("{", "").replace("}", "").split()
    line = " ".join(cells.get(name, "-") for name in names)
    events = [{"id": f"{host}-{ended}-{at}", "timestamp": ended * 1000, "message": line} for at in range(3)]
    return dict(encode({
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": group_of(stage),
        "logStream": f"eni-0e2e0000000032{host:02}-all", "subscriptionFilters": ["f"], "logEvents": events,
    }))  # fmt: skip


def invoke(stage: Stage, function: str, event: object) -> dict[str, Any]:
    """Invoke a function; its result."""
    name = stage.stack.resources[function]
    answer = stage.clients.functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    result: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, result
    return result


def dispatch(stage: Stage) -> dict[str, Any]:
    """A run of the dispatcher."""
    return invoke(stage, DISPATCHER, {})


def opened(stage: Stage) -> list[dict[str, Any]]:
    """The keys in the index of open incidents."""
    found = stage.clients.dynamodb.query(
        TableName=stage.stack.state_table,
        IndexName=OPEN,
        KeyConditionExpression="#open = :open",
        ExpressionAttributeNames={"#open": OPEN},
        ExpressionAttributeValues={":open": {"S": OPEN}},
    )
    return [dict(each) for each in found["Items"]]


def of(stage: Stage, incident: str) -> dict[str, Any]:
    """The item of an open incident, by its index."""
    (found,) = [each for each in opened(stage) if each["pk"]["S"].endswith(f"#{incident}")]
    item = stage.clients.dynamodb.get_item(
        TableName=stage.stack.state_table, Key={"pk": found["pk"], "sk": found["sk"]}
    )
    return dict(item["Item"])


def make_due(stage: Stage, item: dict[str, Any]) -> None:
    """Make an open incident due, because a test does not wait for that."""
    stage.clients.dynamodb.update_item(
        TableName=stage.stack.state_table,
        Key={"pk": item["pk"], "sk": item["sk"]},
        UpdateExpression="SET check_at = :now",
        ExpressionAttributeValues={":now": {"N": str(int(time.time()) - 1)}},
    )


def sink(stage: Stage) -> str:
    """The name of the sink of pages."""
    return f"sns:{stage.stack.pages_topic.rpartition(':')[2]}"


def about(stage: Stage, incident: str) -> list[Delivery]:
    """The pages about an incident since the last call; other tests leave incidents of their own."""
    return [each for each in stage.pages.take() if each.document.get("incident") == incident]


def test_an_incident_is_open_until_later_records_show_that_it_is_over(stage: Stage) -> None:
    """Without later records it stays open; with them, one message says that it is resolved."""
    now = int(time.time())
    assert invoke(stage, MONITOR, records(stage, 1, now - REFUSED, "REJECT"))["Notifications"] == 1
    (page,) = stage.pages.take()
    assert (page.document["event"], page.attributes["event"]) == ("opened", "opened")
    incident = page.document["incident"]
    item = of(stage, incident)
    assert item["state"]["S"] == "SENT"
    assert {"open", "check_at", "incident", "last_seen"} <= item.keys()
    assert int(item["check_at"]["N"]) >= now
    make_due(stage, item)
    dispatch(stage)
    assert "no_data_since" in of(stage, incident)
    assert about(stage, incident) == []
    assert invoke(stage, MONITOR, records(stage, 2, now - 660, "ACCEPT"))["Notifications"] == 0
    make_due(stage, item)
    assert dispatch(stage)["Resolved"] >= 1
    (resolved,) = about(stage, incident)
    assert (resolved.document["event"], resolved.attributes["event"]) == ("resolved", "resolved")
    assert resolved.subject.startswith("[RESOLVED] ")
    assert not [each for each in opened(stage) if each["pk"] == item["pk"]]
    dispatch(stage)
    assert about(stage, incident) == []


def test_a_pending_notification_is_sent_once(stage: Stage) -> None:
    """The monitor claimed it, and ended before it sent it."""
    now = int(time.time())
    incident = Incident(
        title="10.32.0.3 is blocked.", severity="medium", detectors=("blocked-connection",),
        subject="10.32.0.3", log_group=group_of(stage), last_seen=now, resolve_after=1800,
        attributes={"kind": "incident"},
    )  # fmt: skip
    key = ClaimKey(sink(stage), "00000000000000000000000000000e2e")
    document = {"incident": key.incident, "event": "opened", "subject": "10.32.0.3"}
    message = StoredNotification(
        subject="[MEDIUM] 10.32.0.3 is blocked", text="10.32.0.3\n", document=document, attributes={}
    )
    claims = DynamoDbClaims(stage.clients.dynamodb, stage.stack.state_table, TERMS)
    claims.claim(
        ClaimRequest(key, Owner("batch-e2e", "1"), now - 600, incident=incident, notification=message)
    )
    assert of(stage, key.incident)["state"]["S"] == "PENDING"
    assert [dispatch(stage)["Resent"] for _ in range(2)] == [1, 0]
    (sent,) = about(stage, key.incident)
    assert document.items() <= sent.document.items()
    item = of(stage, key.incident)
    assert (item["state"]["S"], "pending" in item) == ("SENT", False)


def test_the_schedule_invokes_the_dispatcher_each_minute(stage: Stage) -> None:
    """It is off in these tests, and its permission is that of the rule."""
    rule = stage.clients.events.describe_rule(Name=stage.stack.resources["DispatchSchedule"])
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "DISABLED")
    (target,) = stage.clients.events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"].endswith(f":function:{stage.stack.resources[DISPATCHER]}")
    assert json.loads(target["Input"])["detail"] == {"run": "dispatch"}


def test_an_example_event_is_sent_to_the_dispatcher(state: State) -> None:
    """`make send` knows the function by the event."""
    result, failed = state.invoke(read(PROJECT / "events" / "dispatcher" / "nothing-due.json"))
    assert not failed
    assert isinstance(result, dict)
    assert result["DispatchLeft"] == 0
