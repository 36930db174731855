"""The trigger that the enforcer reads from an EventBridge event."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller, as_list
from flowwarden.enforcer.triggers.tampering import LOG_GROUP_CALLS, ROLE_CALLS
from flowwarden.enforcer.triggers.trigger import NewVpc, RunKind, Trigger
from flowwarden.enforcer.triggers.trigger import read as read_in
from tests.enforcer.fakes import ACCOUNT, GROUP, STACK
from tests.outside import DATA

REAL = DATA / "events" / "cloudtrail"
VPC = {"vpcId": "vpc-1", "ownerId": "111122223333", "state": "pending"}


def call(name: str, **detail: Any) -> dict[str, Any]:
    """An API call as EventBridge delivers it."""
    return {
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ec2",
        "account": "111122223333",
        "time": "2026-11-02T09:30:05Z",
        "detail": {
            "eventSource": "ec2.amazonaws.com",
            "eventName": name,
            "eventID": "8f6d",
            "eventTime": "2026-11-02T09:30:00Z",
            "sourceIPAddress": "203.0.113.24",
            "userIdentity": {"arn": "arn:aws:iam::111122223333:user/maria"},
            **detail,
        },
    }


def read(event: object) -> Trigger:
    """The trigger for the test stack."""
    return read_in(event, STACK)


def deletion(asked: object, unsuccessful: object = "") -> Trigger:
    """The trigger of a DeleteFlowLogs call."""
    return read(
        call(
            "DeleteFlowLogs",
            requestParameters={"DeleteFlowLogsRequest": {"FlowLogId": asked}},
            responseElements={"DeleteFlowLogsResponse": {"unsuccessful": unsuccessful}},
        )
    )


def test_creation_names_the_vpc_its_owner_and_the_caller() -> None:
    """CreateVpc contains the VPC, its account, the caller, the source address and the time."""
    assert read(call("CreateVpc", responseElements={"vpc": VPC})) == Trigger(
        kind=RunKind.EVENT,
        reason="CreateVpc names the VPC",
        vpcs=(NewVpc(vpc_id="vpc-1", owner_id="111122223333"),),
        origin=ApiCaller(
            event_name="CreateVpc",
            event_id="8f6d",
            actor="arn:aws:iam::111122223333:user/maria",
            source_ip="203.0.113.24",
            credentials="",
        ),
        happened_at=1_793_611_800,
        idempotency_key="8f6d",
    )


@pytest.mark.parametrize(
    "answer",
    [{"vpc": VPC}, {"CreateDefaultVpcResponse": {"vpc": VPC}}, {"CreateDefaultVpcResponse": {"vpc": [VPC]}}],
)
def test_default_vpc_is_found_wrapped_or_not(answer: dict[str, Any]) -> None:
    """CloudTrail's format of CreateDefaultVpc is not documented; every likely format names the VPC."""
    assert [vpc.vpc_id for vpc in read(call("CreateDefaultVpc", responseElements=answer)).vpcs] == ["vpc-1"]


@pytest.mark.parametrize("name", ["CreateVpc", "CreateDefaultVpc"])
@pytest.mark.parametrize("answer", [None, {}, "", {"vpc": {}}, {"vpc": {"vpcId": None}}, {"vpc": "vpc-1"}])
def test_creation_in_an_unknown_format_leads_to_a_sweep(name: str, answer: object) -> None:
    """A creation that does not name the VPC must not leave it uncovered."""
    assert read(call(name, responseElements=answer)).kind is RunKind.SWEEP


def test_owner_is_the_event_s_account_if_the_response_has_none() -> None:
    """A VPC is created in the account of the record."""
    event = call("CreateVpc", responseElements={"vpc": {"vpcId": "vpc-1"}})
    assert read(event).vpcs[0].owner_id == "111122223333"


def test_failed_call_is_ignored() -> None:
    """A refused CreateVpc has an errorCode and a null response: there is no VPC."""
    trigger = read(call("CreateVpc", errorCode="Client.UnauthorizedOperation", responseElements=None))
    assert trigger.kind is RunKind.IGNORED
    assert "Client.UnauthorizedOperation" in trigger.reason


@pytest.mark.parametrize("name", ["DeleteFlowLogs", "CreateVpc", "CreateDefaultVpc"])
def test_dry_run_is_ignored(name: str) -> None:
    """A dry run is a failed call, whatever the call."""
    assert read(call(name, errorCode="Client.DryRunOperation")).kind is RunKind.IGNORED


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({"tag": 1, "content": "fl-1"}, ("fl-1",)),
        ([{"tag": 1, "content": "fl-1"}, {"tag": 2, "content": "fl-2"}], ("fl-1", "fl-2")),
        ("fl-1", ("fl-1",)),
        (["fl-1", {"content": "fl-2"}, "fl-3"], ("fl-1", "fl-2", "fl-3")),
        ([7, None, {"content": 7}], ()),
        ("", ()),
        (None, ()),
    ],
)
def test_deletion_leads_to_a_sweep_with_the_deleted_ids(asked: object, ids: tuple[str, ...]) -> None:
    """DeleteFlowLogs names only flow logs: one is not in a list, several are; plain ids are accepted, too."""
    trigger = deletion(asked)
    assert trigger.kind is RunKind.SWEEP
    assert trigger.deleted == ids


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize(
    ("asked", "made", "created"),
    [
        ({"tag": 1, "content": "vpc-1"}, {"item": "fl-1"}, (("fl-1", ("vpc-1",)),)),
        ("vpc-1", {"item": ["fl-1"]}, (("fl-1", ("vpc-1",)),)),
        (
            [{"tag": 1, "content": "vpc-1"}, {"tag": 2, "content": "vpc-2"}],
            {"item": ["fl-1", "fl-2"]},
            (("fl-1", ("vpc-1", "vpc-2")), ("fl-2", ("vpc-1", "vpc-2"))),
        ),
        ({"tag": 1, "content": "vpc-1"}, "", ()),
        (None, {"item": {"x": 1}}, ()),
        (7, {"item": "fl-1"}, (("fl-1", ()),)),
    ],
)
def test_the_creation_of_flow_logs_is_noted_with_their_resources(
    asked: object, made: object, created: object, *, wrapped: bool
) -> None:
    """With several resources, the event does not say which flow log belongs to which."""
    request: dict[str, Any] = {"ResourceId": asked}
    response: dict[str, Any] = {"flowLogIdSet": made}
    found = read(
        call(
            "CreateFlowLogs",
            requestParameters={"CreateFlowLogsRequest": request} if wrapped else request,
            responseElements={"CreateFlowLogsResponse": response} if wrapped else response,
        )
    )
    assert (found.kind, found.created, found.vpcs) == (RunKind.EVENT, created, ())


def test_what_the_enforcer_creates_needs_no_note() -> None:
    """The enforcer records it itself."""
    identity = {"sessionContext": {"sessionIssuer": {"arn": STACK.enforcer_role_arn}}}
    assert read(call("CreateFlowLogs", userIdentity=identity)).kind is RunKind.IGNORED


def test_deletion_that_ec2_refused_completely_is_ignored() -> None:
    """Refused flow logs are in `unsuccessful`, and the call has no errorCode."""
    trigger = deletion({"content": "fl-1"}, {"item": {"resourceId": "fl-1", "error": {"code": "x"}}})
    assert trigger.kind is RunKind.IGNORED


def test_deletion_that_ec2_refused_partially_counts_for_the_rest() -> None:
    """One of two flow logs was refused: only the other is deleted."""
    trigger = deletion([{"content": "fl-1"}, {"content": "fl-2"}], {"item": [{"resourceId": "fl-1"}]})
    assert trigger.kind is RunKind.SWEEP
    assert trigger.deleted == ("fl-2",)


def test_unsuccessful_in_an_unknown_format_still_leads_to_a_sweep() -> None:
    """An unreadable member does not prevent the sweep."""
    assert deletion({"content": "fl-1"}, ["?"]).kind is RunKind.SWEEP


@pytest.mark.parametrize("source", ["aws.events", "aws.scheduler"])
def test_schedule_leads_to_a_sweep_without_origin(source: str) -> None:
    """A rule's schedule and EventBridge Scheduler send the same detail-type."""
    trigger = read({"detail-type": "Scheduled Event", "source": source, "detail": {}})
    assert trigger.kind is RunKind.SWEEP
    assert trigger.origin is None


@pytest.mark.parametrize(
    "event",
    [
        {},
        call("DeleteVpc"),
        call("CreateVpc", eventSource="lightsail.amazonaws.com", responseElements={"vpc": VPC}),
        {**call("CreateVpc", responseElements={"vpc": VPC}), "detail-type": "Something else"},
    ],
)
def test_unknown_event_is_ignored(event: dict[str, Any]) -> None:
    """Only events that are known to require action lead to a run."""
    assert read(event).kind is RunKind.IGNORED


@pytest.mark.parametrize("event", [None, [], ["CreateVpc"], "x", "", 5, 0.5, True])
def test_other_json_is_ignored(event: object) -> None:
    """The function may be invoked with any JSON: nothing is done, and nothing fails."""
    trigger = read(event)
    assert trigger.kind is RunKind.IGNORED
    assert trigger.reason == f"not an event, but {type(event).__name__}"


@pytest.mark.parametrize("name", ["CreateVpc", "CreateDefaultVpc", "DeleteFlowLogs"])
def test_call_in_another_region_is_ignored(name: str) -> None:
    """EC2 in this region never lists the VPC."""
    trigger = read(call(name, awsRegion="us-east-1", responseElements={"vpc": VPC}))
    assert trigger.kind is RunKind.IGNORED
    assert "us-east-1" in trigger.reason
    assert STACK.region in trigger.reason


@pytest.mark.parametrize("name", ["CreateVpc", "CreateDefaultVpc", "DeleteFlowLogs"])
@pytest.mark.parametrize(
    ("account", "is_ours"), [(ACCOUNT, True), (None, True), (7, True), ("999988887777", False)]
)
def test_a_call_in_another_account_is_ignored(name: str, account: object, is_ours: bool) -> None:  # noqa: FBT001  a table's column
    """A bus may get events of many accounts; a record without an account may concern this one."""
    trigger = read(call(name, recipientAccountId=account, responseElements={"vpc": VPC}))
    assert (trigger.kind is not RunKind.IGNORED) == is_ours
    assert is_ours or "account 999988887777; this stack covers 111122223333" in trigger.reason


@pytest.mark.parametrize("region", [STACK.region, "", None, 7])
def test_call_in_the_own_or_an_unknown_region_counts(region: object) -> None:
    """A record without a region may concern this one."""
    event = call("CreateVpc", awsRegion=region, responseElements={"vpc": VPC})
    assert read(event).kind is RunKind.EVENT


@pytest.mark.parametrize(
    ("event", "idempotency_key"),
    [
        (call("CreateVpc", responseElements={"vpc": VPC}), "8f6d"),
        ({**call("CreateVpc", eventID=None, responseElements={"vpc": VPC}), "id": "3d5b"}, "3d5b"),
        (call("CreateVpc", eventID=7, responseElements={"vpc": VPC}), ""),
        (
            {"detail-type": "Scheduled Event", "time": "2026-11-02T10:00:00Z", "id": "3d5b"},
            "2026-11-02T10:00:00Z",
        ),
        ({"detail-type": "Scheduled Event", "id": "3d5b"}, "3d5b"),
        ({"detail-type": "Scheduled Event"}, ""),
    ],
)
def test_idempotency_key_is_shared_by_deliveries_of_an_event(
    event: dict[str, Any], idempotency_key: str
) -> None:
    """It is CloudTrail's event id or the time of the sweep, otherwise the id of the envelope."""
    assert read(event).idempotency_key == idempotency_key


@pytest.mark.parametrize(
    ("time", "seconds"), [("2026-11-02T09:30:00Z", 1_793_611_800), ("soon", None), (None, None)]
)
def test_sweep_has_the_time_at_which_it_was_due(time: object, seconds: int | None) -> None:
    """This time separates what the sweep created from what existed before."""
    assert read({"detail-type": "Scheduled Event", "time": time}).happened_at == seconds


def test_unpaired_surrogates_are_replaced() -> None:
    """JSON may contain them, but neither EC2, SNS nor a token accepts them."""
    trigger = read(call("CreateVpc", eventID="\ud800", responseElements={"vpc": {"vpcId": "vpc-\udfff"}}))
    assert trigger.idempotency_key == "?"
    assert [vpc.vpc_id for vpc in trigger.vpcs] == ["vpc-?"]
    assert "failed with ?:" in read(call("CreateVpc", errorCode="\ud800")).reason


def test_envelope_s_source_does_not_matter() -> None:
    """A forwarding bus may change `source`; the CloudTrail record identifies the event."""
    event = {**call("CreateVpc", responseElements={"vpc": VPC}), "source": "flowwarden.local"}
    assert read(event).kind is RunKind.EVENT


@pytest.mark.parametrize(
    ("identity", "actor"),
    [
        ({"invokedBy": "controltower.amazonaws.com"}, "controltower.amazonaws.com"),
        ({"type": "Unknown", "principalId": "AIDA"}, "AIDA"),
        (None, ""),
    ],
)
def test_actor_without_arn_is_named_by_other_members(identity: object, actor: str) -> None:
    """AWS services act without an ARN."""
    origin = read(call("CreateVpc", userIdentity=identity, responseElements={"vpc": VPC})).origin
    assert origin is not None
    assert origin.actor == actor


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("2026-11-02T09:30:00Z", 1_793_611_800),
        ("2026-11-02T10:30:00+01:00", 1_793_611_800),
        ("2026-11-02T09:30:00", 1_793_611_800),
        ("soon", 1_793_611_805),
        (None, 1_793_611_805),
    ],
)
def test_time_is_that_of_the_call_or_of_the_envelope(time: object, seconds: int) -> None:
    """Without a readable eventTime, the time of the envelope counts; a time without a zone is UTC."""
    assert read(call("CreateVpc", eventTime=time, responseElements={"vpc": VPC})).happened_at == seconds


def test_time_may_be_unknown() -> None:
    """Without a readable time it is None, not an error."""
    event = {**call("CreateVpc", eventTime=1, responseElements={"vpc": VPC}), "time": ""}
    assert read(event).happened_at is None


KEYS = st.sampled_from(
    ["vpc", "vpcId", "ownerId", "item", "resourceId", "content", "FlowLogId", "unsuccessful", "arn"]
    + [f"{name}{end}" for name in ("CreateVpc", "DeleteFlowLogs") for end in ("Request", "Response")]
)
JSON = st.recursive(
    st.sampled_from([None, True, 0, 7, "", "vpc-1", "fl-1", "\ud800", "2026-11-02T09:30:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    ["requestParameters", "responseElements", "userIdentity", "eventTime", "errorCode", "eventID"]
)


@given(
    st.sampled_from(["CreateVpc", "CreateDefaultVpc", "DeleteFlowLogs"]),
    st.dictionaries(MEMBERS, JSON, max_size=6),
)
def test_any_event_is_read(name: str, detail: dict[str, Any]) -> None:
    """Any record is read without an error, and the kind matches the named VPCs."""
    trigger = read(call(name, **detail))
    assert bool(trigger.vpcs) == (trigger.kind is RunKind.EVENT)
    assert all(vpc.vpc_id.startswith("vpc-") for vpc in trigger.vpcs)
    assert msgspec.json.encode(trigger)


@given(JSON)
def test_any_json_is_read(event: object) -> None:
    """A function may be invoked with any JSON."""
    assert read(event).kind is RunKind.IGNORED


@pytest.mark.parametrize(
    ("value", "items"),
    [("", []), ({}, []), (None, []), ({"a": 1}, [{"a": 1}]), ([1, 2], [1, 2]), ([], []), ("x", ["x"])],
)
def test_as_list_undoes_the_xml(value: object, items: list[object]) -> None:
    """One item is not in a list, several are; none is an empty text, mapping or null."""
    assert as_list(value) == items


def test_real_records_are_read() -> None:
    """The real CreateVpc names its VPC; the real DeleteFlowLogs leads to a sweep."""
    if not REAL.is_dir():
        pytest.skip(f"the folder of real events, {REAL}, does not exist")
    made = json.loads((REAL / "create-vpc.json").read_text())
    (lost,) = json.loads((REAL / "delete-flow-logs.json").read_text())
    envelope = {"detail-type": "AWS API Call via CloudTrail"}
    assert read_in({**envelope, "detail": made}, where(made)).vpcs == (
        NewVpc(vpc_id="vpc-06fe1a64761a0f720", owner_id="123837392027"),
    )
    trigger = read_in({**envelope, "detail": lost}, where(lost))
    assert trigger.kind is RunKind.SWEEP
    assert trigger.deleted == ("fl-0e17aa62a21d4bbfe",)
    assert trigger.origin is not None
    assert trigger.origin.actor == "arn:aws:iam::498376118699:user/operator"
    assert "IAMUser; access key AKIA5Q8Z0GHOBYSEN9D6; by stratus-red-team" in trigger.origin.credentials


def where(record: dict[str, Any]) -> Stack:
    """The test stack in the account and region of a record."""
    account, region = record["recipientAccountId"], record["awsRegion"]
    return msgspec.structs.replace(STACK, account_id=account, region=region)


def tampering(name: str, source: str, asked: dict[str, Any], **detail: Any) -> Trigger:
    """The trigger of a call about a log group or a role."""
    return read(call(name, eventSource=source, requestParameters=asked, **detail))


@pytest.mark.parametrize("name", LOG_GROUP_CALLS)
def test_calls_about_the_stack_s_log_groups_lead_to_a_check(name: str) -> None:
    """This includes alternate log groups, but no unmanaged ones."""
    for group, kind in (
        (GROUP, RunKind.DEPENDENCIES),
        (f"{GROUP}-0a1b2c3d", RunKind.DEPENDENCIES),
        (f"{GROUP}s", RunKind.IGNORED),
        (f"{GROUP}-2", RunKind.IGNORED),
        ("theirs", RunKind.IGNORED),
    ):
        assert tampering(name, "logs.amazonaws.com", {"logGroupName": group}).kind is kind


@pytest.mark.parametrize(
    ("arn", "kind"),
    [
        (f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:{GROUP}", RunKind.DEPENDENCIES),
        (f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:{GROUP}-0a1b2c3d:*", RunKind.DEPENDENCIES),
        (f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:{GROUP}-2", RunKind.IGNORED),
        (f"arn:aws:logs:eu-west-1:{ACCOUNT}:query-result:*", RunKind.IGNORED),
        (7, RunKind.IGNORED),
    ],
)
@pytest.mark.parametrize("name", ["AssociateKmsKey", "DisassociateKmsKey"])
def test_a_log_group_may_be_named_by_its_arn(name: str, arn: object, kind: RunKind) -> None:
    """Calls about keys accept a name or an ARN."""
    assert tampering(name, "logs.amazonaws.com", {"resourceIdentifier": arn}).kind is kind


@pytest.mark.parametrize("name", ROLE_CALLS)
def test_calls_about_the_delivery_role_lead_to_a_check_from_any_region(name: str) -> None:
    """IAM events are recorded in us-east-1, wherever the stack is."""
    for role, kind in (("delivery", RunKind.DEPENDENCIES), ("another", RunKind.IGNORED)):
        asked = {"roleName": role}
        assert tampering(name, "iam.amazonaws.com", asked, awsRegion="us-east-1").kind is kind


def test_calls_of_the_enforcer_are_not_tampering() -> None:
    """Its replacements delete flow logs."""
    issuer = {"sessionContext": {"sessionIssuer": {"arn": STACK.enforcer_role_arn}}}
    asked = {"DeleteFlowLogsRequest": {"FlowLogId": {"content": "fl-1"}}}
    own = read(call("DeleteFlowLogs", requestParameters=asked, userIdentity=issuer))
    assert (own.kind, own.reason) == (RunKind.IGNORED, "DeleteFlowLogs was made by the enforcer itself")
    other = {"sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/another"}}}
    theirs = read(call("DeleteFlowLogs", requestParameters=asked, userIdentity=other))
    assert theirs.kind is RunKind.SWEEP


@pytest.mark.parametrize(
    "by",
    [
        {"sourceIPAddress": "cloudformation.amazonaws.com"},
        {"userIdentity": {"invokedBy": "cloudformation.amazonaws.com"}},
    ],
)
@pytest.mark.parametrize("name", ["PutSubscriptionFilter", "DeleteSubscriptionFilter"])
def test_a_deployment_leads_to_a_check_and_is_not_reported_by_itself(name: str, by: dict[str, Any]) -> None:
    """Another stack may replace the subscription; this stack's deployments change its own resources."""
    asked = {"logGroupName": GROUP}
    deployed = tampering(name, "logs.amazonaws.com", asked, **by)
    assert (deployed.kind, deployed.takes_away) == (RunKind.DEPENDENCIES, False)
    assert "by a deployment" in deployed.reason
    by_hand = tampering(name, "logs.amazonaws.com", asked)
    assert (by_hand.kind, by_hand.takes_away) == (RunKind.DEPENDENCIES, name.startswith("Delete"))


def test_credentials_describe_how_the_call_was_signed() -> None:
    """They contain identity type, key, role, MFA and user agent."""
    identity = {
        "type": "AssumedRole",
        "arn": "arn:aws:sts::111122223333:assumed-role/admin/maria",
        "accessKeyId": "ASIAEXAMPLE",
        "sessionContext": {
            "sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/admin"},
            "attributes": {"mfaAuthenticated": "false"},
        },
    }
    trigger = read(call("DeleteFlowLogs", userIdentity=identity, userAgent="aws-cli/2"))
    assert trigger.origin is not None
    assert trigger.origin.credentials == (
        "AssumedRole; access key ASIAEXAMPLE; a session of arn:aws:iam::111122223333:role/admin; "
        "without MFA; by aws-cli/2"
    )


def test_the_schedule_may_request_only_pending_vpcs() -> None:
    """The template's second schedule sends this event."""
    event = {"detail-type": "Scheduled Event", "detail": {"run": "retry"}}
    assert read(event).kind is RunKind.RETRY


@pytest.mark.parametrize(
    ("stack_id", "kind"),
    [
        (f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/{STACK.stack_name}/0a1b", RunKind.SWEEP),
        (f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/{STACK.stack_name}-2/0a1b", RunKind.IGNORED),
        (None, RunKind.IGNORED),
        (7, RunKind.IGNORED),
    ],
)
def test_a_deployment_as_cloudformation_reports_it_leads_to_a_sweep(stack_id: object, kind: RunKind) -> None:
    """The rule converts this event, but the queue of undelivered events may contain it as it was."""
    event = {
        "detail-type": "CloudFormation Stack Status Change",
        "source": "aws.cloudformation",
        "id": "1",
        "time": "2026-11-24T03:00:00Z",
        "detail": {"stack-id": stack_id, "status-details": {"status": "UPDATE_COMPLETE"}},
    }
    trigger = read(event)
    assert (trigger.kind, trigger.deployed) == (kind, kind is RunKind.SWEEP)
    if kind is RunKind.SWEEP:
        converted = {**event, "detail-type": "Scheduled Event", "detail": {"run": "deployment"}}
        same = read(converted)
        assert (same.happened_at, same.idempotency_key) == (trigger.happened_at, trigger.idempotency_key)
