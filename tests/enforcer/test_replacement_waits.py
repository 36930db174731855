"""Without the state table, a flow log of this stack that still records waits to be replaced."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.creation import Creation, ManagedFlowLog
from flowwarden.enforcer.reporting.report import Result
from flowwarden.enforcer.state.desired import managed_tags
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from flowwarden.errors import EnforcementIncomplete
from tests.enforcer.fakes import Fakes, FakeWorkQueue, MemoryRegistry
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import AT_ONCE, BORN, RETRY, SWEEP, enforce, existing, only, own, run

HOUR = 3600
S3: dict[str, Any] = {
    "log_group_name": None,
    "log_destination_type": "s3",
    "log_destination": "arn:aws:s3:::former",
}
DRIFTED: dict[str, dict[str, Any]] = {
    "another format": {"log_format": "${version}"},
    "another interval": {"max_aggregation_interval": 600},
    "another destination": S3,
    "another role": {"delivery_role_arn": "arn:aws:iam::111122223333:role/former"},
}
NOT_RECORDING: dict[str, dict[str, Any]] = {
    "failing": {"log_format": "${version}", "deliver_logs_status": "FAILED"},
    "not active": {"log_format": "${version}", "flow_log_status": "INACTIVE"},
    "a part of the traffic": {"traffic_type": "REJECT"},
    "of others": {"log_format": "${version}", "tags": {}},
    "of another stack": {"log_format": "${version}", "tags": managed_tags("flow-warden-2")},
    "of a subnet": {"log_format": "${version}", "resource_id": "subnet-1"},
}


def without_table(change: dict[str, Any]) -> Fakes:
    """An account with one flow log, while the state table does not answer."""
    old = existing(flow_log_id="fl-old", creation_time=BORN - 30 * 24 * HOUR, **change)
    ec2 = FakeEc2(own("vpc-1"), [old], clock=BORN)
    return Fakes(ec2=ec2, registry=MemoryRegistry(broken=True), queue=FakeWorkQueue(broken=True))


def answer(fakes: Fakes) -> None:
    """The table answers again."""
    fakes.registry.broken = fakes.queue.broken = False


@pytest.mark.parametrize("drift", DRIFTED)
def test_a_replacement_waits_for_the_state_table(drift: str) -> None:
    """Lambda repeats the run. Then the new flow log is managed, and the old one is deleted."""
    fakes = without_table(DRIFTED[drift])
    ec2 = fakes.ec2
    assert isinstance(ec2, FakeEc2)
    report = enforce(fakes)
    assert (only(report).result, only(report).retryable) == (Result.PENDING, True)
    assert "the state table does not answer, so fl-old is not replaced yet" in only(report).reason
    with pytest.raises(EnforcementIncomplete):
        report.raise_if_incomplete()
    assert (ec2.asked, fakes.registry.of(Creation)) == ([], [])
    answer(fakes)
    for hour in range(1, 4):
        run(fakes.service(AT_ONCE), SWEEP, BORN + hour * HOUR)
    assert [each.flow_log_id for each in fakes.registry.of(ManagedFlowLog)] == ["fl-new0"]
    assert (ec2.deleted, [each.flow_log_id for each in ec2.existing]) == (["fl-old"], ["fl-new0"])


@pytest.mark.parametrize("state", NOT_RECORDING)
def test_a_flow_log_that_records_too_little_or_is_not_this_stacks_postpones_nothing(state: str) -> None:
    """The VPC is covered at once."""
    fakes = without_table(NOT_RECORDING[state])
    assert only(enforce(fakes)).result is Result.CREATED


def test_after_a_deletion_nothing_waits() -> None:
    """The flow log that is left may be a decoy with the tag."""
    fakes = without_table({"log_format": "${version}"})
    caller = ApiCaller(event_name="DeleteFlowLogs", event_id="8f", actor="eve", source_ip="203.0.113.9")
    event = replace(SWEEP, deleted=("fl-gone",), origin=caller)
    assert only(enforce(fakes, event)).result is Result.CREATED


def test_a_write_that_fails_in_the_run_makes_the_replacement_wait_in_the_queue() -> None:
    """The table answers at first; a scheduled retry replaces the flow log."""
    fakes = without_table({"log_format": "${version}"})
    answer(fakes)
    fakes.registry.fails_at = 1
    assert only(enforce(fakes)).result is Result.PENDING
    assert list(fakes.queue.items) == ["vpc-1"]
    report = run(fakes.service(AT_ONCE), RETRY, BORN + 600)
    assert only(report).result is Result.CREATED
    assert "fl-new0" in {each.flow_log_id for each in fakes.registry.of(ManagedFlowLog)}
