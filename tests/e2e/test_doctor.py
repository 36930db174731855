"""`flowwarden doctor` on the deployed stack, as a person runs it, and after parts of it were broken.

The emulator has no failure destinations, describes no index, has no metrics of functions, and sets neither
expiry nor point-in-time recovery from the template. The test sets what it can set, and names the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from local.sandbox import State
from local.scenario import Stage
from tests.e2e import command, schedules

pytestmark = pytest.mark.e2e

SWEEP: Final = b'{"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}'
OF_EMULATOR: Final = {"function-failures-lost", "table-index"}
"""Problems that the emulator has because it ignores a part of the template."""


def doctor(state: State) -> dict[str, list[dict[str, Any]]]:
    """The lines with a problem, by its name, without those of the emulator."""
    code, printed = command.run(state, "doctor")
    document = json.loads(printed)
    assert code == (0 if document["sound"] else 1)
    assert document["counts"]["unknown"] == 0, printed
    found: dict[str, list[dict[str, Any]]] = {}
    for line in document["lines"]:
        if line["verdict"] != "ok" and line["problem"] not in OF_EMULATOR:
            assert line["fix"]
            found.setdefault(line["problem"], []).append(line)
    return found


@pytest.fixture
def healthy(stage: Stage) -> Iterator[Stage]:
    """The stack with what the emulator leaves out, and with a trail."""
    table, clients = stage.stack.state_table, stage.clients
    clients.dynamodb.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
    clients.dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    schedules.enable(clients, stage.stack)
    trails = clients.of("cloudtrail")
    trails.create_trail(Name="management", S3BucketName="flow-warden-artifacts", IsMultiRegionTrail=True)
    trails.start_logging(Name="management")
    try:
        yield stage
    finally:
        trails.delete_trail(Name="management")
        schedules.disable(clients, stage.stack)


def test_the_doctor_names_what_is_broken_and_nothing_when_it_is_mended(healthy: Stage, state: State) -> None:
    """Each break has its line. Flow logs and queues belong to other tests of the folder."""
    others = {
        *("flow-logs-missing", "queue-filled", "records-missing", "records-unseen", "function-idle"),
        *("vpc-uncovered", "vpc-not-delivered"),
    }
    assert doctor(state).keys() <= others
    clients, stack = healthy.clients, healthy.stack
    rule, group = stack.resources["SweepSchedule"], stack.flow_log_group
    filters = clients.logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    (own,) = [each for each in filters if "MonitorFunction" in each["destinationArn"]]
    clients.events.disable_rule(Name=rule)
    clients.functions.put_function_concurrency(FunctionName=stack.enforcer, ReservedConcurrentExecutions=0)
    clients.logs.delete_subscription_filter(logGroupName=group, filterName=own["filterName"])
    clients.sqs.send_message(QueueUrl=stack.resources["EnforcerEventQueue"], MessageBody="odd")
    clients.of("cloudtrail").stop_logging(Name="management")
    try:
        found = doctor(state)
        assert found.keys() - others == {
            "rule-disabled", "function-stopped", "subscription-missing", "trail-stopped",
        }  # fmt: skip
        assert f"--name {rule} " in found["rule-disabled"][0]["fix"]
        assert [each["subject"] for each in found["queue-filled"]] == ["events"]
    finally:
        clients.events.enable_rule(Name=rule)
        clients.functions.delete_function_concurrency(FunctionName=stack.enforcer)
        clients.logs.put_subscription_filter(
            logGroupName=group,
            filterName=own["filterName"],
            filterPattern="",
            destinationArn=own["destinationArn"],
        )
        clients.sqs.purge_queue(QueueUrl=stack.resources["EnforcerEventQueue"])
        clients.of("cloudtrail").start_logging(Name="management")
    assert doctor(state).keys() <= others


def test_the_doctor_names_a_vpc_without_a_flow_log_until_a_sweep_covers_it(
    healthy: Stage, state: State
) -> None:
    """Its judgment is that of the enforcer."""
    ec2 = healthy.clients.ec2
    vpc_id = ec2.create_vpc(CidrBlock="10.98.0.0/16")["Vpc"]["VpcId"]

    def uncovered() -> bool:
        return vpc_id in [each["subject"] for each in doctor(state).get("vpc-uncovered", [])]

    try:
        assert uncovered()
        healthy.clients.functions.invoke(FunctionName=healthy.stack.enforcer, Payload=SWEEP)
        assert not uncovered()
    finally:
        found = ec2.describe_flow_logs()["FlowLogs"]
        made = [each["FlowLogId"] for each in found if each["ResourceId"] == vpc_id]
        if made:
            ec2.delete_flow_logs(FlowLogIds=made)
        ec2.delete_vpc(VpcId=vpc_id)
