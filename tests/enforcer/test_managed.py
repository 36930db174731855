"""Managed means recorded by this stack and tagged: only that is ever changed or deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.enforcer.adoption import command
from flowwarden.enforcer.creation import Creation, ManagedFlowLog
from flowwarden.enforcer.decide.unmanaged import UnmanagedFlowLog
from flowwarden.enforcer.registry import REPLAYED_SECONDS
from flowwarden.enforcer.reporting.report import EnforcementReport, Result
from flowwarden.enforcer.state.desired import BACKOFF_TAG, DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.enforcer.triggers import trigger
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger
from flowwarden.errors import CallFailed, EnforcementError, EnforcementIncomplete
from flowwarden.policy.flow_logs import FlowLogsPolicy
from tests.enforcer.fakes import STACK, TAGS, Fakes, MemoryRegistry
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import (
    AT_ONCE,
    BORN,
    DESIRED,
    FORBIDDEN,
    SWEEP,
    THROTTLED,
    deliver,
    enforce,
    existing,
    only,
    own,
    run,
)
from tests.examples import examples

DAY = 24 * 3600
OLD = BORN - 30 * DAY


class Killed(BaseException):
    """The end of a run without any further step."""


class Deadly(FakeEc2):
    """Creates a flow log, and the run ends before it gets the answer."""

    deadly = True

    def create(self, vpc_id: str, desired: DesiredFlowLog, client_token: str) -> str:
        """Create once without an answer."""
        found = super().create(vpc_id, desired, client_token)
        if self.deadly:
            self.deadly = False
            raise Killed
        return found


def managed(fakes: Fakes) -> set[str]:
    """The ids of the recorded flow logs."""
    return {each.flow_log_id for each in fakes.registry.of(ManagedFlowLog)}


def sweeps(fakes: Fakes, number: int = 3, start: int = BORN + 3600) -> Iterator[EnforcementReport]:
    """Some sweeps, one an hour, with their reports sent."""
    for hour in range(number):
        fakes.clock.left = 300
        yield run(fakes.service(AT_ONCE), SWEEP, start + hour * 3600)


def ask(fakes: Fakes, *flow_log_ids: str, dry_run: bool = False) -> EnforcementReport:
    """Request that flow logs are recorded as managed."""
    event = {"record_as_managed": list(flow_log_ids)}
    service = fakes.service(AT_ONCE, dry_run=dry_run)
    report = service.reconcile(trigger.read(event, STACK), BORN)
    deliver(service, report)
    return report


def test_a_created_flow_log_is_recorded() -> None:
    """Nothing of the creation is left."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")))
    enforce(fakes)
    assert fakes.registry.of(ManagedFlowLog) == [
        ManagedFlowLog(flow_log_id="fl-new0", vpc_id="vpc-1", at=BORN + 10)
    ]
    assert fakes.registry.of(Creation) == []


def test_a_run_that_ends_after_the_call_loses_no_record() -> None:
    """The next run repeats the call with the same token, and EC2 returns what it created."""
    fakes = Fakes(ec2=Deadly(own("vpc-1"), clock=BORN))
    with pytest.raises(Killed):
        enforce(fakes)
    assert managed(fakes) == set()
    (report,) = sweeps(fakes, 1)
    assert (managed(fakes), fakes.registry.of(Creation)) == ({"fl-new0"}, [])
    assert [each.flow_log_id for each in fakes.ec2.flow_logs(None)] == ["fl-new0"]
    assert report.unrecorded == ()


@pytest.mark.parametrize("number", range(1, 6))
def test_a_write_that_fails_loses_no_record(number: int) -> None:
    """The record is stored later, or the report has the command; no second flow log is created."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), clock=BORN), registry=MemoryRegistry(fails_at=number))
    run(fakes.service(AT_ONCE), SWEEP, BORN)
    list(sweeps(fakes))
    assert [each.flow_log_id for each in fakes.ec2.flow_logs(None)] == ["fl-new0"]
    reported = [each for each in fakes.sink.sent if "TAGGED, BUT NOT RECORDED" in each.text]
    assert (managed(fakes) == {"fl-new0"}) is not (len(reported) == 1)


def test_a_flow_log_of_a_creation_without_an_answer_is_recorded() -> None:
    """EC2 created the flow log, but the call timed out."""

    class Slow(FakeEc2):
        """Times out once, after the creation."""

        slow = True

        def create(self, vpc_id: str, desired: DesiredFlowLog, client_token: str) -> str:
            found = super().create(vpc_id, desired, client_token)
            if self.slow:
                self.slow = False
                raise CallFailed("timeout")
            return found

    fakes = Fakes(ec2=Slow(own("vpc-1"), clock=BORN))
    run(fakes.service(AT_ONCE), SWEEP, BORN)
    list(sweeps(fakes))
    assert managed(fakes) == {"fl-new0"}


@pytest.mark.parametrize("age", [60, REPLAYED_SECONDS])
def test_a_tagged_flow_log_of_others_does_not_pass_for_an_unfinished_creation(age: int) -> None:
    """It has the tag, the VPC and the destination of the creation, but the call did not create it."""
    theirs = existing(flow_log_id="fl-0b", creation_time=OLD)
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")))
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.existing.append(theirs)
    unfinished = Creation(client_token="0a", vpc_id="vpc-1", flow_log=DESIRED, at=BORN - age)  # noqa: S106
    fakes.registry.put(unfinished)
    list(sweeps(fakes, start=BORN))
    assert managed(fakes) == set()
    assert fakes.ec2.existing == [theirs]


def test_without_the_state_table_a_vpc_is_covered_but_its_flow_log_is_not_managed() -> None:
    """A report says how to record it."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), clock=OLD), registry=MemoryRegistry(broken=True))
    assert only(enforce(fakes)).result is Result.CREATED
    fakes.registry.broken = False
    (report,) = sweeps(fakes, 1)
    assert (only(report).result, managed(fakes)) == (Result.COVERED, set())
    (flow_log,) = report.unrecorded
    assert flow_log.flow_log_id == "fl-new0"


def test_a_record_for_another_vpc_does_not_count() -> None:
    """Ids are unique, so such a record is damaged."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")))
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.existing += [existing(flow_log_id="fl-1"), existing(flow_log_id="fl-2", log_group_name="x")]
    for each in ("fl-1", "fl-2"):
        fakes.registry.put(ManagedFlowLog(flow_log_id=each, vpc_id="vpc-9", at=0))
    list(sweeps(fakes))
    assert fakes.ec2.deleted == []


CHANGES: dict[str, dict[str, Any]] = {
    "wanted": {},
    "another format": {"log_format": "${version}"},
    "REJECT alone": {"traffic_type": "REJECT"},
    "elsewhere": {"log_group_name": "theirs"},
    "an archive": {
        "log_group_name": None,
        "log_destination_type": "s3",
        "log_destination": "arn:aws:s3:::archive",
    },
    "failing": {"deliver_logs_status": "FAILED", "deliver_logs_error_message": "Access error"},
    "another role": {"delivery_role_arn": "arn:aws:iam::111122223333:role/theirs"},
    "of a subnet": {"resource_id": "subnet-1"},
    "held": {"tags": TAGS | {BACKOFF_TAG: f"{DESIRED.configuration} until {BORN + DAY}"}},
    "in the alternate group": {"log_group_name": f"{DESIRED.destination}-{DESIRED.configuration}"},
}


@given(
    st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(["adopt", "beside"]),
)
@examples(0.5)
def test_with_our_tag_on_everything_nothing_of_others_is_changed(
    kinds: list[str],
    managed_too: bool,  # noqa: FBT001  drawn
    unmanaged: str,
) -> None:
    """With and without a managed flow log that is to be replaced."""
    theirs = [
        existing(flow_log_id=f"fl-{number}", creation_time=OLD, **CHANGES[kind])
        for number, kind in enumerate(kinds)
    ]
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), clock=BORN))
    ec2 = fakes.ec2
    assert isinstance(ec2, FakeEc2)
    ec2.existing += theirs
    if managed_too:
        old = existing(flow_log_id="fl-old", creation_time=OLD, log_format="${version} ${srcaddr}")
        ec2.existing.append(old)
        fakes.registry.record(old)
    policy = FlowLogsPolicy(grace_minutes=0, unmanaged=unmanaged)
    for hour in range(30):
        run(fakes.service(policy), SWEEP, BORN + hour * 3600)
    assert [each for each in ec2.existing if each in theirs] == theirs
    assert not {each.flow_log_id for each in theirs} & set(ec2.deleted)
    assert ec2.tagged == []


def test_a_record_without_the_tag_is_not_enough() -> None:
    """Others took the flow log over by removing the tag."""
    for tags in ({}, TAGS | {"flow-warden:managed": "another-stack"}):
        old = existing(log_format="${version}", creation_time=OLD, tags=tags)
        fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [old], clock=BORN))
        fakes.registry.record(old)
        list(sweeps(fakes))
        assert isinstance(fakes.ec2, FakeEc2)
        assert fakes.ec2.deleted == []


def unrecorded(*flow_logs: FlowLog) -> Fakes:
    """An account whose flow logs have the tag, but no record."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2"), clock=BORN))
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.existing += flow_logs or [existing(each, creation_time=OLD) for each in ("vpc-1", "vpc-2")]
    return fakes


def test_a_tagged_flow_log_without_a_record_covers_and_is_reported_once() -> None:
    """Not after each suppression window; a new one is reported alone."""
    fakes = unrecorded()
    reports = list(sweeps(fakes, 30))
    assert {each.result for report in reports for each in report.outcomes} == {Result.COVERED}
    (notification,) = fakes.sink.sent
    assert notification.subject.startswith("[INFO] 2 flow logs tagged, but not recorded")
    assert '\'{"record_as_managed": ["fl-of-vpc-1", "fl-of-vpc-2"]}\'' in notification.text
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.existing.append(existing(flow_log_id="fl-3", log_group_name="x", creation_time=OLD))
    list(sweeps(fakes, 3, BORN + 40 * 3600))
    (_, second) = fakes.sink.sent
    assert '["fl-3"]' in second.text


def test_the_command_of_the_report_records_them() -> None:
    """From then on they are managed: a drifted one is replaced."""
    fakes = unrecorded()
    list(sweeps(fakes, 1))
    payload = fakes.sink.sent[0].text.partition("--payload '")[2].partition("'")[0]
    report = fakes.service(AT_ONCE).reconcile(trigger.read(json.loads(payload), STACK), BORN)
    deliver(fakes.service(AT_ONCE), report)
    assert [each.flow_log_id for each in report.adopted] == ["fl-of-vpc-1", "fl-of-vpc-2"]
    assert managed(fakes) == {"fl-of-vpc-1", "fl-of-vpc-2"}
    assert "RECORDED AS MANAGED" in fakes.sink.sent[-1].text
    assert all(each.unrecorded == () for each in sweeps(fakes))


def test_a_drifted_one_is_replaced_only_after_it_is_recorded() -> None:
    """Before, the required one is created beside it."""
    old = existing(creation_time=OLD, log_format="${version}")
    fakes = unrecorded(old, existing("vpc-2", creation_time=OLD))
    list(sweeps(fakes))
    assert isinstance(fakes.ec2, FakeEc2)
    assert (old in fakes.ec2.existing, len(fakes.ec2.existing)) == (True, 3)
    ask(fakes, "fl-of-vpc-1")
    list(sweeps(fakes, 1, BORN + DAY))
    assert fakes.ec2.deleted == ["fl-of-vpc-1"]


@pytest.mark.parametrize(
    ("flow_log", "why"),
    [
        (existing(flow_log_id="fl-1", tags={}), "does not have the tag"),
        (existing(flow_log_id="fl-1", tags={"flow-warden:managed": "two"}), "does not have the tag"),
        (existing("tgw-attach-1", flow_log_id="fl-1"), "belongs to tgw-attach-1"),
        (existing(flow_log_id="fl-2"), "lists no such flow log"),
    ],
)
def test_what_cannot_be_this_stacks_is_not_recorded(flow_log: FlowLog, why: str) -> None:
    """The report says why."""
    fakes = unrecorded(flow_log)
    report = ask(fakes, "fl-1")
    (trouble,) = report.problems
    assert why in trouble.summary
    assert (report.adopted, managed(fakes)) == ((), set())


def test_a_request_is_refused_without_the_table_without_ec2_and_in_a_dry_run() -> None:
    """Nothing is recorded, and the answer says so."""
    broken = unrecorded()
    broken.registry.broken = True
    silent = unrecorded()
    assert isinstance(silent.ec2, FakeEc2)
    silent.ec2.list_fault = CallFailed("InternalError")
    for fakes, dry_run, why in (
        (broken, False, "the state table does not answer"),
        (silent, False, "InternalError"),
        (unrecorded(), True, "only plans"),
    ):
        report = ask(fakes, "fl-of-vpc-1", dry_run=dry_run)
        assert [why in each.summary for each in report.problems] == [True]
        assert (report.adopted, managed(fakes)) == ((), set())


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"record_as_managed": ["fl-1"]}, RunKind.RECORD),
        ({"record_as_managed": "fl-1"}, RunKind.RECORD),
        ({"record_as_managed": []}, RunKind.IGNORED),
        ({"record_as_managed": [7, None, {}]}, RunKind.IGNORED),
        ({"record_as_managed": {"a": 1}}, RunKind.IGNORED),
        ({"record_as_managed": ["fl-1"], "detail-type": "Scheduled Event"}, RunKind.SWEEP),
        ({"record_as_managed": ["fl-1"], "source": "aws.ec2"}, RunKind.IGNORED),
    ],
)
def test_only_an_event_with_nothing_else_is_a_request(event: dict[str, Any], kind: RunKind) -> None:
    """An event from EventBridge has other members."""
    assert trigger.read(event, STACK).kind is kind


def test_the_command_names_the_function_or_how_to_find_it() -> None:
    """An id that does not look like one does not reach a shell."""
    found = [
        UnmanagedFlowLog(flow_log_id=each, resource_id="vpc-1", destination="x")
        for each in ("fl-1", "fl-2'; rm -rf /; '")
    ]
    named = command(found, replace(STACK, enforcer_name="flow-warden-EnforcerFunction-1A"))
    assert "--function-name flow-warden-EnforcerFunction-1A " in named
    assert named.endswith("""--payload '{"record_as_managed": ["fl-1"]}' /dev/stdout""")
    assert "--logical-resource-id EnforcerFunction" in command(found, STACK)
    assert command([], STACK) == ""


def test_without_the_state_table_nothing_is_deleted() -> None:
    """What is managed is unknown; nothing is reported as unrecorded either."""
    old = existing(log_format="${version}", creation_time=OLD)
    alternate = DESIRED.alternate_destination
    assert alternate is not None
    new = replace(existing(flow_log_id="fl-new", creation_time=OLD), log_group_name=alternate.destination)
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [old, new], clock=BORN), registry=MemoryRegistry(broken=True))
    service = fakes.service(AT_ONCE)
    report = service.reconcile(Trigger(kind=RunKind.SWEEP, reason="a sweep"), BORN)
    assert isinstance(fakes.ec2, FakeEc2)
    assert (fakes.ec2.deleted, report.unrecorded) == ([], ())


@pytest.mark.parametrize("number", [1, 2])
def test_nothing_is_deleted_before_the_deletion_is_stored(number: int) -> None:
    """If the first write fails, a later sweep deletes; the second write follows the call."""
    old = existing(log_format="${version}", creation_time=OLD)
    alternate = DESIRED.alternate_destination
    assert alternate is not None
    new = replace(existing(flow_log_id="fl-new", creation_time=OLD), log_group_name=alternate.destination)
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [old, new], clock=BORN))
    fakes.registry.fails_at = number
    service = fakes.service(AT_ONCE)
    report = service.reconcile(SWEEP, BORN)
    assert isinstance(fakes.ec2, FakeEc2)
    assert fakes.ec2.deleted == ([] if number == 1 else ["fl-of-vpc-1"])
    try:
        deliver(service, report, BORN)
    except EnforcementIncomplete:
        assert number == 1
    list(sweeps(fakes))
    assert fakes.ec2.deleted == ["fl-of-vpc-1"]
    assert managed(fakes) == {"fl-new"}


@pytest.mark.parametrize("fault", [FORBIDDEN, THROTTLED, CallFailed("InternalError")])
def test_a_refusal_that_passes_loses_no_record(fault: EnforcementError) -> None:
    """The repeated call is denied for an hour; the next sweep makes it again."""
    ec2 = Deadly(own("vpc-1"), clock=BORN)
    fakes = Fakes(ec2=ec2)
    with pytest.raises(Killed):
        enforce(fakes)
    ec2.create_faults = {"vpc-1": fault}
    list(sweeps(fakes, 1))
    assert managed(fakes) == set()
    ec2.create_faults = {}
    list(sweeps(fakes, 1, BORN + 7200))
    assert managed(fakes) == {"fl-new0"}
