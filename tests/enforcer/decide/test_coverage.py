"""Which flow log counts as the required one, whether it delivers, and the reason if a VPC has none."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.decide.coverage import Coverage, judge
from flowwarden.enforcer.decide.delivery import SETTLED_SECONDS, SILENCE_SECONDS, SLOTS, slots
from flowwarden.enforcer.decide.drift import is_managed, same_destination
from flowwarden.enforcer.state.desired import managed_tags, resolved
from flowwarden.enforcer.state.inventory import FlowLog, Vpc, by_vpc
from flowwarden.policy.flow_logs import FlowLogSpec
from flowwarden.state.heartbeats import SLOT, number_of, slot_of
from tests.enforcer.cases import (
    ACTIVE,
    ALTERNATE_GROUP,
    DESIRED,
    NOW,
    OLD,
    OTHER,
    THEIRS,
    WANTED,
    but,
    changed,
    readable,
    seen,
    subnet,
    unmanaged,
    vpc_state,
)
from tests.enforcer.fakes import ACCOUNT, GROUP, STACK

ARN = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:{GROUP}"
BUSY: dict[str, Any] = {"interfaces": (ACTIVE,)}


@pytest.mark.parametrize(
    "flow_log",
    [
        WANTED,
        but(log_group_name=ALTERNATE_GROUP),
        but(log_group_name=None, log_destination=ARN),
        but(log_group_name=None, log_destination=f"{ARN}:*"),
        but(log_group_name=None, log_destination=GROUP),
        but(log_destination=ARN),
        but(log_format=f" {DESIRED.log_format.replace(' ', '  ')} "),
        but(log_format=None),
        but(max_aggregation_interval=None),
        but(traffic_type=None),
        but(log_destination_type=None),
        but(deliver_logs_status=None),
        unmanaged(delivery_role_arn="arn:aws:iam::111122223333:role/theirs"),
    ],
)
def test_a_wanted_flow_log_covers(flow_log: FlowLog) -> None:
    """The destination may be described in any form; an omitted property is unknown, not drift."""
    verdict = judge(vpc_state(flow_log))
    assert verdict.coverage is Coverage.COVERED
    assert verdict.flow_log_id == flow_log.flow_log_id


@pytest.mark.parametrize(
    ("flow_log", "why"),
    [
        (but(traffic_type="REJECT"), "traffic type REJECT, not ALL"),
        (but(traffic_type="ACCEPT"), "traffic type ACCEPT, not ALL"),
        (but(log_format="${version} ${dstaddr} ${srcaddr}"), "different log format"),
        (but(max_aggregation_interval=600), "aggregates 600 s, not 60 s"),
        (but(delivery_role_arn="arn:old"), "delivered by the role arn:old"),
        (but(log_group_name=f"{GROUP}-2"), f"writes to {GROUP}-2"),
        (but(log_group_name="flow-logs"), "writes to flow-logs"),
        (but(log_group_name=None), "writes to an unknown destination"),
        (but(log_destination_type="s3", log_group_name=None, log_destination="arn:aws:s3:::b"), "s3:::b"),
        (but(log_destination=ARN.replace(ACCOUNT, "444455556666")), "444455556666"),
        (but(log_destination=f"{ARN}-2:*"), "flow-logs-2:*"),
    ],
)
def test_any_other_flow_log_does_not_cover(flow_log: FlowLog, why: str) -> None:
    """The reason contains the difference."""
    verdict = judge(vpc_state(flow_log))
    assert verdict.coverage is Coverage.UNCOVERED
    assert why in verdict.reason


@pytest.mark.parametrize("adopts", [False, True])
def test_an_unmanaged_flow_log_that_fails_covers_nothing(*, adopts: bool) -> None:
    """This holds for a VPC, its parts and any destination: the enforcer cannot repair it."""
    failed = {"deliver_logs_status": "FAILED", "deliver_logs_error_message": "Access error"}
    make, adopted = (readable, {THEIRS: 0}) if adopts else (unmanaged, {})
    for change in ({}, {"resource_id": "subnet-1"}):
        case = vpc_state(make(**failed, **change), subnets=(subnet(1),), adopted=adopted)
        verdict = judge(case)
        assert verdict.coverage is Coverage.UNCOVERED
        assert "(does not deliver: Access error)" in verdict.reason


def test_a_bucket_is_compared_with_its_partitions() -> None:
    """Partitions count as created; a trailing slash is no difference."""
    spec = FlowLogSpec(destination_type="s3", destination="arn:aws:s3:::logs/x", file_format="parquet")
    desired = resolved(spec, STACK)
    flow_log = changed(
        WANTED,
        log_destination_type="s3",
        log_group_name=None,
        log_destination="arn:aws:s3:::logs/x/",
        delivery_role_arn=None,
        file_format="parquet",
        hive_compatible_partitions=False,
        per_hour_partition=False,
    )
    assert judge(vpc_state(flow_log, desired=desired)).coverage is Coverage.COVERED
    plain = changed(flow_log, file_format="plain-text")
    assert "file format plain-text, not parquet" in judge(vpc_state(plain, desired=desired)).reason


def test_a_vpc_of_unknown_owner_counts_as_own() -> None:
    """Skipping it could leave it uncovered; EC2 refuses the call if another account owns it."""
    assert judge(vpc_state(vpc=Vpc(vpc_id="vpc-1", owner_id=""))).coverage is Coverage.UNCOVERED


@pytest.mark.parametrize(
    ("tags", "own"),
    [
        (managed_tags("flow-warden"), True),
        (managed_tags("another-stack"), False),
        ({"Name": "flow-warden"}, False),
        ({}, False),
    ],
)
def test_managed_flow_logs_are_identified_by_the_stack_s_tag(tags: dict[str, str], own: bool) -> None:  # noqa: FBT001  a table's column
    """Neither a name nor another stack's tag makes a flow log managed."""
    assert is_managed(but(tags=tags), STACK) is own


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("Access error", "delivery role trusts vpc-flow-logs.amazonaws.com"),
        ("Rate limited", "higher CloudWatch Logs quota"),
        ("Unknown error", "delete this flow log"),
        (None, "delete this flow log"),
    ],
)
def test_a_flow_log_that_does_not_deliver_is_broken(message: str | None, remedy: str) -> None:
    """ACTIVE does not mean delivering; the reason contains EC2's message and the remedy."""
    verdict = judge(vpc_state(but(deliver_logs_status="FAILED", deliver_logs_error_message=message)))
    assert verdict.coverage is Coverage.BROKEN
    assert (message or "no error message") in verdict.reason
    assert remedy in verdict.reason


@pytest.mark.parametrize(
    ("age", "coverage"),
    [(0, Coverage.UNPROVEN), (SETTLED_SECONDS - 1, Coverage.UNPROVEN), (SETTLED_SECONDS, Coverage.COVERED)],
)
def test_a_status_verifies_delivery_only_after_it_has_lasted(age: int, coverage: Coverage) -> None:
    """The status counts only without an active interface; an inactive one writes nothing."""
    idle = replace(ACTIVE, active=False)
    for interfaces in ((), (idle,)):
        case = vpc_state(but(creation_time=NOW - age), interfaces=interfaces)
        assert judge(case).coverage is coverage


def test_records_after_the_creation_verify_delivery_and_older_ones_do_not() -> None:
    """The slot of the creation may contain records of an earlier flow log."""
    born = but(creation_time=NOW - SLOT)
    number = number_of(ACTIVE.interface_id)
    assert number is not None
    for slot, coverage in (
        (slot_of(NOW), Coverage.COVERED),
        (slot_of(NOW - SLOT), Coverage.UNPROVEN),
        (slot_of(NOW - 2 * SLOT), Coverage.UNPROVEN),
    ):
        records = {GROUP: {slot: frozenset({number})}}
        assert judge(vpc_state(born, **BUSY, seen=records)).coverage is coverage


@pytest.mark.parametrize(
    ("age", "coverage"), [(SILENCE_SECONDS - 1, Coverage.UNPROVEN), (SILENCE_SECONDS, Coverage.BROKEN)]
)
def test_silence_while_others_write_eventually_is_a_failure(age: int, coverage: Coverage) -> None:
    """EC2 may report SUCCESS the whole time."""
    verdict = judge(vpc_state(but(creation_time=NOW - age), **BUSY, seen=seen(OTHER)))
    assert verdict.coverage is coverage


def test_silence_without_certain_activity_is_not_a_failure() -> None:
    """An interface that is new or of unknown activity may be silent; a long active one may not."""
    old, young = (
        replace(ACTIVE, since=NOW - SILENCE_SECONDS),
        replace(ACTIVE, since=NOW - SILENCE_SECONDS + 1),
    )
    unknown = replace(ACTIVE, interface_id="eni-0c", active=None)
    for interfaces, coverage in (
        ((young,), Coverage.UNPROVEN),
        ((unknown,), Coverage.UNPROVEN),
        ((young, unknown), Coverage.UNPROVEN),
        ((unknown, old), Coverage.BROKEN),
    ):
        assert judge(vpc_state(WANTED, interfaces=interfaces, seen=seen(OTHER))).coverage is coverage


def test_records_of_an_interface_of_unknown_activity_verify_delivery() -> None:
    """The interface wrote."""
    unknown = replace(ACTIVE, active=None)
    records = seen(ACTIVE.interface_id)
    assert judge(vpc_state(WANTED, interfaces=(unknown,), seen=records)).coverage is Coverage.COVERED


def test_silence_of_all_interfaces_is_not_a_failure() -> None:
    """The monitor may not have read the group, in one slot or in all."""
    number = number_of(OTHER)
    assert number is not None
    gap = dict.fromkeys(list(slots(NOW))[1:], frozenset({number}))
    evidence: list[dict[str, dict[int, frozenset[int]]]] = [{}, {GROUP: gap}, {GROUP: {}}]
    for records in evidence:
        assert judge(vpc_state(WANTED, **BUSY, seen=records)).coverage is Coverage.UNPROVEN
    assert SLOTS == 5


def test_flow_logs_of_parts_cover_a_vpc_only_if_no_part_is_missing() -> None:
    """The reason names the uncovered parts; an empty subnet may be used at any time."""
    half = vpc_state(unmanaged(resource_id="subnet-1"), subnets=(subnet(1), subnet(2)))
    verdict = judge(half)
    assert verdict.coverage is Coverage.UNCOVERED
    assert verdict.reason == "has flow logs for some parts only; not covered: subnet-2"
    whole = vpc_state(
        unmanaged(resource_id="subnet-1"),
        unmanaged(resource_id=ACTIVE.interface_id, flow_log_id="fl-eni"),
        subnets=(subnet(1), subnet(2)),
        interfaces=(replace(ACTIVE, subnet_id="subnet-2"),),
        seen=seen(ACTIVE.interface_id),
    )
    assert judge(whole).coverage is Coverage.COVERED


def test_a_managed_flow_log_of_a_part_does_not_cover_the_vpc() -> None:
    """It is from before a change of the level, and stays until the flow log of the VPC is verified."""
    part = but(resource_id="subnet-1", flow_log_id="fl-part")
    verdict = judge(vpc_state(part, subnets=(subnet(1),)))
    assert (verdict.coverage, verdict.replaced) == (Coverage.UNCOVERED, (part,))
    both = judge(vpc_state(part, WANTED, subnets=(subnet(1),)))
    assert (both.coverage, both.flow_log_id, both.replaced) == (Coverage.COVERED, "fl-1", (part,))


FAILURES: tuple[dict[str, Any], ...] = (
    {"deliver_logs_status": None, "deliver_logs_error_message": "Access error"},
    {"deliver_logs_status": "", "deliver_logs_error_message": "Rate limited"},
    {"deliver_logs_status": "FAILED", "deliver_logs_error_message": None},
    {"flow_log_status": "INACTIVE"},
    {"flow_log_status": ""},
    {"flow_log_status": "DELETING", "deliver_logs_status": "SUCCESS"},
)


@pytest.mark.parametrize("failure", FAILURES)
def test_what_ec2_reports_against_a_flow_log_uncovers_the_vpc(failure: dict[str, Any]) -> None:
    """A managed one is reported as broken; one of others counts as absent, in parts of a VPC, too."""
    assert judge(vpc_state(but(**failure))).coverage is Coverage.BROKEN
    assert judge(vpc_state(unmanaged(**failure))).coverage is Coverage.UNCOVERED
    assert judge(vpc_state(readable(**failure), adopted={THEIRS: 0})).coverage is Coverage.UNCOVERED
    part = unmanaged(resource_id="subnet-1", **failure)
    assert judge(vpc_state(part, subnets=(subnet(1),))).coverage is Coverage.UNCOVERED
    assert judge(vpc_state(WANTED, unmanaged(**failure))).duplicates == ()


@pytest.mark.parametrize(
    "described",
    [
        {"deliver_logs_status": "SUCCESS", "deliver_logs_error_message": ""},
        {"deliver_logs_status": None, "deliver_logs_error_message": None, "flow_log_status": None},
        {"flow_log_status": "ACTIVE"},
    ],
)
def test_without_a_reported_failure_the_vpc_is_covered(described: dict[str, Any]) -> None:
    """A member that the description omits is unknown, which is no failure."""
    for flow_log in (but(**described), unmanaged(**described)):
        assert judge(vpc_state(flow_log)).coverage is Coverage.COVERED


def test_a_delivery_status_that_ec2_does_not_document_proves_nothing() -> None:
    """It is neither a success nor a failure."""
    assert judge(vpc_state(but(deliver_logs_status="DEGRADED"))).coverage is Coverage.UNPROVEN


GUEST = replace(ACTIVE, active=None)
"""An interface that may be active: EC2 does not show the instances of other accounts."""


@pytest.mark.parametrize(
    ("created", "written", "coverage"),
    [
        (OLD, seen(OTHER), Coverage.UNCOVERED),
        (NOW - SILENCE_SECONDS, seen(OTHER), Coverage.UNCOVERED),
        (NOW - SILENCE_SECONDS + 1, seen(OTHER), Coverage.UNPROVEN),
        (None, seen(OTHER), Coverage.UNPROVEN),
        (OLD, {}, Coverage.UNPROVEN),
        (OLD, seen(), Coverage.UNPROVEN),
        (OLD, seen(GUEST.interface_id), Coverage.COVERED),
    ],
)
def test_an_unmanaged_flow_log_like_the_required_one_covers_unverified_only_for_a_while(
    created: int | None, written: dict[str, Any], coverage: Coverage
) -> None:
    """If the monitor reads no log group, nothing can be verified. A managed one stays unproven."""
    case: dict[str, Any] = {"interfaces": (GUEST,), "seen": written}
    assert judge(vpc_state(unmanaged(creation_time=created), **case)).coverage is coverage
    own = judge(vpc_state(but(creation_time=created), **case)).coverage
    assert own is (Coverage.UNPROVEN if coverage is Coverage.UNCOVERED else coverage)


def test_a_silent_unmanaged_flow_log_like_the_required_one_does_not_cover() -> None:
    """A managed one is reported as broken instead: a second one would not fix it."""
    case: dict[str, Any] = {"interfaces": (ACTIVE,), "seen": seen(OTHER)}
    verdict = judge(vpc_state(unmanaged(), **case))
    assert verdict.coverage is Coverage.UNCOVERED
    assert "none of its records arrive" in verdict.reason
    assert judge(vpc_state(WANTED, **case)).coverage is Coverage.BROKEN


def test_delivering_flow_logs_are_preferred_then_managed_ones() -> None:
    """A broken second flow log does not uncover a VPC; an unmanaged one is a duplicate."""
    twin = but(flow_log_id="fl-2", deliver_logs_status="FAILED")
    assert judge(vpc_state(twin, WANTED)).flow_log_id == "fl-1"
    both = judge(vpc_state(unmanaged(creation_time=1), WANTED))
    assert (both.flow_log_id, both.duplicates) == ("fl-1", ("fl-unmanaged",))


BUCKET: dict[str, Any] = {
    "log_destination_type": "s3",
    "log_group_name": None,
    "log_destination": "arn:aws:s3:::b",
}


@pytest.mark.parametrize(
    "theirs",
    [unmanaged(**BUCKET), readable(), readable(creation_time=1)],
)
def test_an_adopted_flow_log_never_replaces_a_managed_wanted_one(theirs: FlowLog) -> None:
    """Whether no records were seen, those of others, or its own; the other one is a duplicate."""
    young = replace(ACTIVE, since=NOW - 300)
    for interfaces, written, coverage in (
        ((ACTIVE,), {}, Coverage.UNPROVEN),
        ((young,), seen(OTHER), Coverage.UNPROVEN),
        ((ACTIVE,), seen(ACTIVE.interface_id), Coverage.COVERED),
    ):
        case = vpc_state(WANTED, theirs, interfaces=interfaces, seen=written, adopted={THEIRS: 0})
        verdict = judge(case)
        assert (verdict.coverage, verdict.flow_log_id, verdict.replaced) == (coverage, "fl-1", ())
        assert verdict.duplicates == ("fl-unmanaged",)


def test_an_unmanaged_flow_log_replaces_only_an_unwanted_or_failing_managed_one() -> None:
    """A silent managed flow log is not deleted, even if another one delivers."""
    failed = but(deliver_logs_status="FAILED")
    for managed, written, replaced in (
        (WANTED, seen(OTHER), ()),
        (failed, {}, (failed,)),
        (but(log_format="${version}"), {}, (but(log_format="${version}"),)),
    ):
        everyone = written | seen(ACTIVE.interface_id, group=THEIRS)
        case = vpc_state(managed, readable(), **BUSY, seen=everyone, adopted={THEIRS: 0})
        verdict = judge(case)
        assert (verdict.coverage, verdict.flow_log_id) == (Coverage.COVERED, "fl-unmanaged")
        assert verdict.replaced == replaced
    born = but(creation_time=NOW - 60)
    both = judge(
        vpc_state(
            born,
            unmanaged(log_group_name=ALTERNATE_GROUP),
            **BUSY,
            seen=seen("eni-0a", group=ALTERNATE_GROUP),
        )
    )
    assert (both.flow_log_id, both.replaced) == ("fl-unmanaged", ())


def test_same_destination_ignores_traffic_type_and_format() -> None:
    """It finds flow logs that conflict with the required one, not wanted ones."""
    assert same_destination(but(traffic_type="REJECT", log_format="${version}"), DESIRED, STACK)
    assert not same_destination(but(log_group_name="/other"), DESIRED, STACK)


def test_resources_are_grouped_by_vpc() -> None:
    """The flow log's resource is a VPC, a subnet or an interface; unknown resources are left out."""
    resources = ("vpc-1", "subnet-1", ACTIVE.interface_id, "eni-0c")
    logs = [but(resource_id=each) for each in resources]
    found = by_vpc([subnet(1)], [ACTIVE], logs)
    assert set(found) == {"vpc-1"}
    assert found["vpc-1"].flow_logs == tuple(logs[:3])
