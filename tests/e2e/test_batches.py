"""Batches that are delivered twice, concurrently, or corrupt."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from flowwarden.notify.claiming import IN_PROGRESS
from flowwarden.records.subscription import encode
from local.scenario import TIMEOUT_SECONDS, Stage

pytestmark = pytest.mark.e2e

NOW = 1_764_000_000
TEMPLATE_FORMAT_FIELDS = 28
SCANNED = 48
"""Number of targets; half of them are too few for a scan finding about a host without history."""
CONTROL = dict(encode({"messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "",
                       "logStream": "", "subscriptionFilters": [], "logEvents": []}))  # fmt: skip


@pytest.fixture(scope="module")
def qualifiers(deployed: Stage) -> tuple[str, str]:
    """Two versions of the monitor, which run in separate processes."""
    published = deployed.clients.functions.publish_version(FunctionName=deployed.stack.monitor)
    return "$LATEST", published["Version"]


def test_two_concurrent_invocations_with_the_same_batch_page_once(
    stage: Stage, qualifiers: tuple[str, str]
) -> None:
    """One claims and pages; the other is suppressed, or fails, so that its retry is suppressed."""
    for qualifier in qualifiers:  # start both
        invoke(stage, CONTROL, qualifier)
    hosts = range(100, 103)
    with ThreadPoolExecutor() as pool:
        for host in hosts:
            event = batch(stage, host)
            outcomes = list(pool.map(partial(outcome, stage, event), qualifiers))
            assert min(outcomes) == "paged"
            assert sorted(outcomes)[1] in ("suppressed", "unsure: another delivery is in progress")
            assert invoke(stage, event)["Suppressed"] == 1
    assert sorted(page.document["subject"] for page in stage.pages.take()) == [
        f"10.31.0.{host}" for host in hosts
    ]


def test_a_replayed_batch_pages_once(stage: Stage) -> None:
    """The second delivery finds the incident's claim."""
    event = batch(stage, host=2)
    assert invoke(stage, event)["Notifications"] == 1
    replayed = invoke(stage, event)
    assert (replayed["Notifications"], replayed["Suppressed"]) == (0, 1)
    assert len(stage.pages.take()) == 1


def test_two_incidents_page_each(stage: Stage) -> None:
    """Suppression is by incident, not by batch or interface."""
    assert invoke(stage, batch(stage, host=3))["Notifications"] == 1
    assert invoke(stage, batch(stage, host=4))["Notifications"] == 1
    assert len(stage.pages.take()) == 2


def test_an_unreadable_batch_goes_to_the_failure_queue_unchanged(stage: Stage) -> None:
    """After the retries the queue contains the original event, which can be sent again."""
    corrupt = {"awslogs": {"data": "bm90IGNvbXByZXNzZWQ="}}
    stage.clients.functions.invoke(
        FunctionName=stage.stack.monitor, InvocationType="Event", Payload=json.dumps(corrupt).encode()
    )
    attempts = stage.monitor.wait(3, TIMEOUT_SECONDS)
    queue = stage.stack.monitor_failures
    (message,) = stage.clients.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    stage.clients.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    failure = json.loads(message["Body"])
    assert failure["requestPayload"]["awslogs"] == corrupt["awslogs"]
    assert failure["requestContext"]["condition"] == "RetriesExhausted"
    assert all(any("CorruptPayload" in line for line in attempt.lines) for attempt in attempts)
    assert stage.pages.take() == []


def test_a_scan_over_many_batches_is_found_although_no_container_sees_enough_of_it(
    stage: Stage, qualifiers: tuple[str, str]
) -> None:
    """Two containers receive alternate probes, and share them through the state table."""
    probe = {"action": "ACCEPT", "dstport": "8080", "packets": "1"}
    probes = [batch(stage, host=7, dstaddr=f"10.31.8.{n}", **probe) for n in range(SCANNED)]
    paged = [
        invoke(stage, event, qualifier)["Notifications"]
        for event, qualifier in zip(probes, qualifiers * (SCANNED // 2), strict=True)
    ]
    assert sum(paged) == 1
    assert paged.index(1) > SCANNED // 2, "paged after no more probes than one container received"
    (page,) = stage.pages.take()
    assert (page.document["detector"], page.document["subject"]) == ("scan", "10.31.0.7")


def batch(stage: Stage, host: int, **given: str) -> dict[str, Any]:
    """A subscription event: 10.31.0.`host` is denied PostgreSQL, three times, by default."""
    values = {
        "version": "8",
        "account-id": "111122223333",
        "interface-id": f"eni-0e2e000000000{host:04}",
        "srcaddr": f"10.31.0.{host}",
        "dstaddr": "10.31.9.9",
        "srcport": "41000",
        "dstport": "5432",
        "protocol": "6",
        "packets": "3",
        "bytes": "180",
        "start": str(NOW),
        "end": str(NOW + 50),
        "action": "REJECT",
        "log-status": "OK",
        "tcp-flags": "2",
        "flow-direction": "egress",
        **given,
    }
    names = stage.stack.log_format.replace("${", "").replace("}", "").split()
    assert len(names) == TEMPLATE_FORMAT_FIELDS
    document = {
        "messageType": "DATA_MESSAGE",
        "owner": "111122223333",
        "logGroup": stage.stack.flow_log_group,
        "logStream": f"eni-0e2e000000000{host:04}-all",
        "subscriptionFilters": ["e2e"],
        "logEvents": [
            {
                "id": f"{host:056}",
                "timestamp": NOW * 1000,
                "message": " ".join(values.get(name, "-") for name in names),
            }
        ],
    }
    return dict(encode(document))


def outcome(stage: Stage, event: dict[str, Any], qualifier: str) -> str:
    """The result of an invocation with a batch of one incident."""
    answer = stage.clients.functions.invoke(
        FunctionName=stage.stack.monitor, Qualifier=qualifier, Payload=json.dumps(event).encode()
    )
    result = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        assert IN_PROGRESS in result["errorMessage"]
        return "unsure: another delivery is in progress"
    return "paged" if result["Notifications"] else "suppressed"


def invoke(stage: Stage, event: dict[str, Any], qualifier: str = "$LATEST") -> dict[str, Any]:
    """Invoke the monitor and return its response."""
    answer = stage.clients.functions.invoke(
        FunctionName=stage.stack.monitor, Qualifier=qualifier, Payload=json.dumps(event).encode()
    )
    result: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, result
    return result
