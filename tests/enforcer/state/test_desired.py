"""The desired flow log of a VPC, and the token that makes its creation idempotent."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.enforcer.decide.drift import is_managed
from flowwarden.enforcer.state.desired import MANAGED_TAG, DesiredFlowLog, managed_tags, resolved, wanted_for
from flowwarden.enforcer.state.inventory import Vpc
from flowwarden.errors import PolicyError
from flowwarden.policy.flow_logs import SETTINGS, FlowLogsPolicy
from flowwarden.policy.policy import Policy
from flowwarden.policy.setting import Setting
from tests.enforcer import fakes_ec2
from tests.enforcer.fakes import ACCOUNT, GROUP, STACK

DESIRED = DesiredFlowLog(
    destination="/flow-warden/flow-logs",
    delivery_role_arn="arn:aws:iam::111122223333:role/delivery",
    log_format="${version} ${srcaddr}",
    tags={"a": "1", "b": "2"},
)


def test_token_is_the_same_for_the_same_vpc_and_configuration() -> None:
    """Retries of an event request the same flow log; the order of tags does not matter."""
    again = replace(DESIRED, tags={"b": "2", "a": "1"})
    assert DESIRED.client_token("vpc-1", "8f6d") == again.client_token("vpc-1", "8f6d")


def test_token_is_what_ec2_allows() -> None:
    """EC2 accepts at most 64 ASCII characters."""
    token = DESIRED.client_token("vpc-1", "8f6d")
    assert len(token) == 64
    assert token.isascii()


@pytest.mark.parametrize(
    "change",
    [
        {"destination": "/other"},
        {"delivery_role_arn": "arn:aws:iam::111122223333:role/other"},
        {"log_format": "${version}"},
        {"max_aggregation_interval": 600},
        {"traffic_type": "REJECT"},
        {"tags": {}},
    ],
)
def test_token_changes_with_every_part_of_the_configuration(change: dict[str, Any]) -> None:
    """EC2 refuses a used token with other parameters."""
    other = replace(DESIRED, **change)
    assert other.client_token("vpc-1", "8f6d") != DESIRED.client_token("vpc-1", "8f6d")


def test_token_changes_with_the_vpc() -> None:
    """Each VPC gets its own flow log."""
    assert DESIRED.client_token("vpc-1", "8f6d") != DESIRED.client_token("vpc-2", "8f6d")


def test_token_changes_with_the_event() -> None:
    """Otherwise EC2 might return the deleted flow log for a repair."""
    assert DESIRED.client_token("vpc-1", "8f6d") != DESIRED.client_token("vpc-1", "8f6e")


@given(st.lists(st.tuples(st.text(), st.text()), min_size=2, max_size=2, unique=True))
def test_tokens_of_different_requests_differ(requests: list[tuple[str, str]]) -> None:
    """VPC and event never concatenate to those of another request."""
    one, two = (DESIRED.client_token(*each) for each in requests)
    assert one != two


def test_managed_flow_logs_carry_the_stack_s_name() -> None:
    """The tag identifies the stack that created a flow log."""
    assert managed_tags("prod")[MANAGED_TAG] == "prod"


VPC = Vpc(vpc_id="vpc-0a", owner_id=ACCOUNT, tags={"env": "prod"}, cidrs=("10.1.0.0/16",))


PREFIX = replace(STACK, stack_name="fw", log_group_name="/fw", suffixes=("pci",))


@pytest.mark.parametrize(
    ("log_group", "kept"),
    [
        ("/fw", True),
        ("/fw-0a1b2c3d", True),
        ("/fw-pci", True),
        ("/fw-pci-0a1b2c3d", True),
        ("/fw-2", False),
        ("/fw-2-0a1b2c3d", False),
        ("/fw-pci-2", False),
        ("/fw-pc", False),
        ("/fw-0a1b2c3d-0a1b2c3d", False),
        ("/fw-0A1B2C3D", False),
        ("/fw-0a1b2c3", False),
        ("/fw-", False),
        ("/fw2", False),
        ("/f", False),
        ("", False),
    ],
)
def test_a_log_group_with_the_same_prefix_belongs_to_another_stack(log_group: str, kept: bool) -> None:  # noqa: FBT001  a table's column
    """The stack's groups continue with a suffix of the policy, a configuration, or both."""
    assert PREFIX.keeps(log_group) is kept


def test_every_log_group_of_a_policy_belongs_to_the_stack() -> None:
    """Nothing belongs to it of a stack whose name, tag and log group only share the prefix."""
    policy = rules("{}", '{"log_group_suffix": "pci"}')
    stack = replace(PREFIX, suffixes=policy.suffixes)
    two = replace(stack, stack_name="fw-2", log_group_name="/fw-2")
    for each in (resolved(policy.default, stack), resolved(policy.rules[0].flow_log, stack)):
        assert each.alternate_destination is not None
        theirs = resolved(policy.rules[0].flow_log, two)
        assert stack.keeps(each.destination)
        assert stack.keeps(each.alternate_destination.destination)
        assert not stack.keeps(theirs.destination)
        assert not two.keeps(each.destination)
        assert not is_managed(fakes_ec2.wanted("fl-1", "vpc-1", theirs), stack)
        assert not is_managed(fakes_ec2.wanted("fl-1", "vpc-1", each), two)


def rules(where: str, flow_log: str = '{"traffic_type": "REJECT"}') -> FlowLogsPolicy:
    """A policy with one rule."""
    text = f'{{"flow_logs": {{"rules": [{{"where": {where}, "flow_log": {flow_log}}}]}}}}'
    return Policy.from_json(text).flow_logs


def test_without_a_policy_everything_is_recorded_into_the_stack_s_group() -> None:
    """The defaults need no policy."""
    wanted = wanted_for(VPC, FlowLogsPolicy(), STACK)
    assert (wanted.destination, wanted.traffic_type, wanted.max_aggregation_interval) == (GROUP, "ALL", 60)
    assert (wanted.log_format, wanted.retention_days) == (STACK.log_format, 30)
    assert wanted.tags[MANAGED_TAG] == "flow-warden"


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ("{}", True),
        ('{"accounts": ["111122223333"]}', True),
        ('{"accounts": ["444455556666"]}', False),
        ('{"regions": ["eu-west-1"]}', True),
        ('{"regions": ["us-east-1"]}', False),
        ('{"tags": {"env": "prod"}}', True),
        ('{"tags": {"env": "*"}}', True),
        ('{"tags": {"env": "test"}}', False),
        ('{"tags": {"env": "prod", "team": "*"}}', False),
        ('{"cidrs": ["10.0.0.0/8"]}', True),
        ('{"cidrs": ["192.168.0.0/16", "10.1.0.0/16"]}', True),
        ('{"cidrs": ["10.1.0.0/24"]}', False),
        ('{"cidrs": ["2001:db8::/32"]}', False),
        ('{"vpcs": ["vpc-0a"]}', True),
        ('{"vpcs": ["vpc-0b"]}', False),
    ],
)
def test_a_rule_selects_vpcs_that_match_all_its_conditions(where: str, fits: bool) -> None:  # noqa: FBT001  a table's column
    """The conditions are account, region, tag, CIDR and id."""
    assert (wanted_for(VPC, rules(where), STACK).traffic_type == "REJECT") is fits


def test_a_rule_may_deliver_to_a_bucket_or_to_a_suffixed_log_group() -> None:
    """The bucket may have partitions; the group has its own retention and key."""
    spec = '{"destination_type": "s3", "destination": "arn:aws:s3:::logs", "per_hour_partition": true}'
    bucket = wanted_for(VPC, rules("{}", spec), STACK)
    assert (bucket.destination, bucket.per_hour_partition) == ("arn:aws:s3:::logs", True)
    assert bucket.delivery_role_arn == ""
    group = wanted_for(VPC, rules("{}", '{"log_group_suffix": "pci", "retention_days": 365}'), STACK)
    assert (group.destination, group.retention_days) == (f"{GROUP}-pci", 365)


def test_an_alternate_destination_is_named_by_its_configuration() -> None:
    """Another format leads to another name; tags and retention do not. A stream has no alternate."""
    beside = DESIRED.alternate_destination
    assert beside is not None
    assert beside.destination == f"{DESIRED.destination}-{DESIRED.configuration}"
    assert replace(DESIRED, tags={}, retention_days=1).configuration == DESIRED.configuration
    assert replace(DESIRED, log_format="${version}").configuration != DESIRED.configuration
    bucket = replace(DESIRED, destination_type="s3", destination="arn:aws:s3:::b")
    assert bucket.alternate_destination is not None
    assert bucket.alternate_destination.destination == f"arn:aws:s3:::b/{bucket.configuration}/"
    assert replace(DESIRED, destination_type="kinesis-data-firehose").alternate_destination is None


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.name)
def test_a_setting_at_its_default_does_not_change_the_configuration(setting: Setting) -> None:
    """A new setting therefore renames no log group and no folder; any other value counts."""
    other: Any = {"instance": ("Name",)} if setting.default == {} else f"{setting.default}1"
    changed = replace(DESIRED, **{setting.name: other})
    assert changed.configuration != DESIRED.configuration
    plain = sha256(b'["cloud-watch-logs","",{}]').hexdigest()[:8]
    bare = replace(DESIRED, log_format="", delivery_role_arn="")
    assert replace(bare, **{setting.name: setting.default}).configuration == plain


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('{"grace_minutes": -1}', "grace_minutes: -1; write 0 to 1440"),
        ('{"unmanaged": "never"}', "unmanaged: 'never'; write one of adopt, beside"),
        ('{"accepted_duplicates": ["fl-1", ""]}', "accepted_duplicates[1]: ''; write the id of a flow"),
        ('{"accepted_duplicates": ["vpc-1"]}', "accepted_duplicates[0]: 'vpc-1'; write"),
        ('{"accepted_duplicates": ["a b"]}', "accepted_duplicates[0]: 'a b'; write"),
        ('{"accepted_duplicates": ["fl-*"]}', "accepted_duplicates[0]: 'fl-*'; write"),
        ('{"default": {"traffic_type": "SOME"}}', "traffic_type: 'SOME'; write one of ALL, ACCEPT, REJECT"),
        (
            '{"default": {"max_aggregation_interval": 61}}',
            "interval: 61; write one of 60, 600",
        ),
        ('{"default": {"retention_days": 31}}', "default.retention_days: 31; write one of 1, 3, 5"),
        ('{"default": {"destination_type": "s3"}}', "default.destination: ''; write arn:aws:s3:::BUCKET"),
        ('{"default": {"destination": "x"}}', "default.destination: 'x'; write log_group_suffix"),
        ('{"default": {"log_format": "version"}}', "default.log_format: 'version'; write ${field}"),
        ('{"default": {"kms_key_arn": "alias/x"}}', "default.kms_key_arn: 'alias/x'; write arn:aws:kms"),
        ('{"default": {"per_hour_partition": true}}', "default.per_hour_partition: True; only for s3"),
        ('{"default": {"file_format": "parquet"}}', "default.file_format: 'parquet'; only for s3"),
        ('{"default": {"tags": {"aws:x": "y"}}}', "default.tags: 'aws:x'; write 1 to 128 characters"),
        (
            '{"default": {"destination_type": "s3", "destination": "arn:aws:s3:::bucket/AWSLogs"}}',
            "AWSLogs is reserved by AWS",
        ),
        ('{"rules": [{"where": {"cidrs": ["10.0.0.1/8"]}, "flow_log": {}}]}', "where.cidrs[0]: '10.0.0.1/8'"),
        ('{"rules": [{"where": {"accounts": ["1"]}, "flow_log": {}}]}', "accounts[0]: '1'; write 12 digits"),
        ('{"exemptions": [{"where": {"vpcs": ["vpc-0a"]}, "reason": " "}]}', "[0].reason: ' '; write why"),
        ('{"exemptions": [{"where": {}, "reason": "x"}]}', "exemptions[0].where: {}; write vpcs or tags"),
        ('{"exemptions": [{"where": {"vpcs": ["vpc-0a"]}, "reason": "x", "until": "soon"}]}', "until"),
        ('{"defaults": {}}', "defaults"),
    ],
)
def test_an_invalid_setting_is_refused_with_path_value_and_allowed_values(setting: str, message: str) -> None:
    """It is refused before any AWS call."""
    with pytest.raises(PolicyError) as raised:
        Policy.from_json(f'{{"flow_logs": {setting}}}')
    assert message in str(raised.value)
