"""Log formats are requested from EC2, and unparsed lines are reported to operations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowwarden.records.subscription import encode
from local.scenario import TIMEOUT_SECONDS, Stage

pytestmark = pytest.mark.e2e

GROUP = "/e2e/unparsed"
"""A separate log group, because the monitor learns formats by log group and other tests use theirs."""


def test_unparsed_lines_are_reported_to_operations_once(stage: Stage) -> None:
    """The emulator describes flow logs without their format, so the configured format is used."""
    vpc = stage.clients.ec2.create_vpc(CidrBlock="10.41.0.0/16")["Vpc"]["VpcId"]
    made = stage.clients.ec2.create_flow_logs(
        ResourceType="VPC", ResourceIds=[vpc], TrafficType="ALL", LogGroupName=GROUP
    )
    first = invoke(stage, batch("first"))
    assert (first["Malformed"], first["UnparsedBatches"], first["LogFormatsUnavailable"]) == (6, 1, 0)
    (report,) = stage.operations.wait(1, TIMEOUT_SECONDS)
    assert report.detector == "unparsed-lines"
    assert GROUP in report.subject
    assert f"{len(stage.stack.log_format.split())} fields: " in report.text
    again = invoke(stage, batch("again"))
    assert (again["UnparsedBatches"], again["Notifications"], again["Suppressed"]) == (1, 0, 1)
    assert stage.operations.take() == []
    assert formats_kept(stage) == {"L": []}
    assert stage.pages.take() == []
    # Deleted, because other tests count the uncovered VPCs of a sweep.
    stage.clients.ec2.delete_flow_logs(FlowLogIds=made["FlowLogIds"])
    stage.clients.ec2.delete_vpc(VpcId=vpc)


def formats_kept(stage: Stage) -> object:
    """The formats stored in the state table for all containers."""
    item = stage.clients.dynamodb.get_item(
        TableName=stage.stack.state_table,
        Key={"pk": {"S": f"log-formats#{GROUP}"}, "sk": {"S": "formats"}},
    )["Item"]
    assert item["unreported"] == {"BOOL": True}
    return item["formats"]


def batch(name: str) -> dict[str, Any]:
    """A subscription event with six lines of another format."""
    return dict(
        encode(
            {
                "messageType": "DATA_MESSAGE",
                "owner": "111122223333",
                "logGroup": GROUP,
                "logStream": "eni-0e2e0000000005161-all",
                "subscriptionFilters": ["e2e"],
                "logEvents": [
                    {"id": f"{name}-{number}", "timestamp": 1, "message": "10.41.0.1 10.41.0.2 REJECT"}
                    for number in range(6)
                ],
            }
        )
    )


def invoke(stage: Stage, event: dict[str, Any]) -> dict[str, Any]:
    """Invoke the monitor and return its response."""
    answer = stage.clients.functions.invoke(
        FunctionName=stage.stack.monitor, Payload=json.dumps(event).encode()
    )
    result: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, result
    return result
