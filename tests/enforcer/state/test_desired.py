"""Which flow log a VPC shall have, and the token that makes its creation safe to repeat."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.enforcer.decide.drift import is_own
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
    """Retries of an event ask for one and the same flow log; the order of tags is no difference."""
    again = replace(DESIRED, tags={"b": "2", "a": "1"})
    assert DESIRED.client_token("vpc-1", "8f6d") == again.client_token("vpc-1", "8f6d")


def test_token_is_what_ec2_allows() -> None:
    """EC2 takes at most 64 ASCII characters."""
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


def test_token_changes_with_the_occasion() -> None:
    """Otherwise EC2 might answer a repair with the flow log that is gone."""
    assert DESIRED.client_token("vpc-1", "8f6d") != DESIRED.client_token("vpc-1", "8f6e")


@given(st.lists(st.tuples(st.text(), st.text()), min_size=2, max_size=2, unique=True))
def test_tokens_of_different_requests_differ(requests: list[tuple[str, str]]) -> None:
    """No VPC and occasion run together into those of another request."""
    one, two = (DESIRED.client_token(*each) for each in requests)
    assert one != two


def test_managed_flow_logs_carry_the_stack_s_name() -> None:
    """The tag tells which stack made a flow log."""
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
def test_a_log_group_that_only_begins_like_ours_is_another_stack_s(log_group: str, kept: bool) -> None:  # noqa: FBT001  a table's column
    """Ours go on with a suffix of the policy, with a configuration, or both."""
    assert PREFIX.keeps(log_group) is kept


def test_every_log_group_that_a_policy_leads_to_is_ours() -> None:
    """And nothing of a stack whose name, tag and log group only begin like ours."""
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
        assert not is_own(fakes_ec2.wanted("fl-1", "vpc-1", theirs), stack)
        assert not is_own(fakes_ec2.wanted("fl-1", "vpc-1", each), two)


def rules(where: str, flow_log: str = '{"traffic_type": "REJECT"}') -> FlowLogsPolicy:
    """A policy with one rule."""
    text = f'{{"flow_logs": {{"rules": [{{"where": {where}, "flow_log": {flow_log}}}]}}}}'
    return Policy.from_json(text).flow_logs


def test_without_a_policy_everything_is_recorded_into_the_stack_s_group() -> None:
    """Defaults need no policy."""
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
def test_a_rule_is_for_the_vpcs_that_fit_every_part(where: str, fits: bool) -> None:  # noqa: FBT001  a table's column
    """By account, region, tag, CIDR, id."""
    assert (wanted_for(VPC, rules(where), STACK).traffic_type == "REJECT") is fits


def test_a_rule_s_flow_log_may_go_to_a_bucket_or_to_a_group_beside() -> None:
    """With partitions, and with retention and key of its own."""
    told = '{"destination_type": "s3", "destination": "arn:aws:s3:::logs", "per_hour_partition": true}'
    bucket = wanted_for(VPC, rules("{}", told), STACK)
    assert (bucket.destination, bucket.per_hour_partition) == ("arn:aws:s3:::logs", True)
    assert bucket.delivery_role_arn == ""
    group = wanted_for(VPC, rules("{}", '{"log_group_suffix": "pci", "retention_days": 365}'), STACK)
    assert (group.destination, group.retention_days) == (f"{GROUP}-pci", 365)


def test_what_is_beside_a_destination_is_named_by_its_configuration() -> None:
    """Another format, another place; tags and retention do not count. A stream has no inside."""
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
def test_a_setting_at_its_default_does_not_count_in_the_configuration_s_name(setting: Setting) -> None:
    """So that a new setting renames no log group and no folder; any other value does count."""
    other: Any = {"instance": ("Name",)} if setting.default == {} else f"{setting.default}1"
    changed = replace(DESIRED, **{setting.name: other})
    assert changed.configuration != DESIRED.configuration
    plain = sha256(b'["cloud-watch-logs","",{}]').hexdigest()[:8]
    bare = replace(DESIRED, log_format="", delivery_role_arn="")
    assert replace(bare, **{setting.name: setting.default}).configuration == plain


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ('{"grace_minutes": -1}', "grace_minutes: -1; write 0 to 1440"),
        ('{"foreign": "never"}', "foreign: 'never'; allowed are beside, enough"),
        ('{"default": {"traffic_type": "SOME"}}', "traffic_type: 'SOME'; allowed are ALL, ACCEPT, REJECT"),
        (
            '{"default": {"max_aggregation_interval": 61}}',
            "interval: 61; allowed are 60, 600",
        ),
        ('{"default": {"retention_days": 31}}', "default.retention_days: 31; allowed are 1, 3, 5"),
        ('{"default": {"destination_type": "s3"}}', "default.destination: ''; write arn:aws:s3:::BUCKET"),
        ('{"default": {"destination": "x"}}', "default.destination: 'x'; write log_group_suffix"),
        ('{"default": {"log_format": "version"}}', "default.log_format: 'version'; write ${field}"),
        ('{"default": {"kms_key_arn": "alias/x"}}', "default.kms_key_arn: 'alias/x'; write arn:aws:kms"),
        ('{"default": {"per_hour_partition": true}}', "default.per_hour_partition: True; for s3 alone"),
        ('{"default": {"file_format": "parquet"}}', "default.file_format: 'parquet'; for s3 alone"),
        ('{"default": {"tags": {"aws:x": "y"}}}', "default.tags: 'aws:x'; write 1 to 128 characters"),
        (
            '{"default": {"destination_type": "s3", "destination": "arn:aws:s3:::bucket/AWSLogs"}}',
            "AWSLogs is no folder of yours",
        ),
        ('{"rules": [{"where": {"cidrs": ["10.0.0.1/8"]}, "flow_log": {}}]}', "where.cidrs[0]: '10.0.0.1/8'"),
        ('{"rules": [{"where": {"accounts": ["1"]}, "flow_log": {}}]}', "accounts[0]: '1'; write 12 digits"),
        ('{"exemptions": [{"where": {"vpcs": ["vpc-0a"]}, "reason": " "}]}', "[0].reason: ' '; write why"),
        ('{"exemptions": [{"where": {}, "reason": "x"}]}', "exemptions[0].where: {}; write vpcs or tags"),
        ('{"exemptions": [{"where": {"vpcs": ["vpc-0a"]}, "reason": "x", "until": "soon"}]}', "until"),
        ('{"defaults": {}}', "defaults"),
    ],
)
def test_a_wish_that_would_not_work_is_refused_with_path_value_and_what_is_allowed(
    setting: str, told: str
) -> None:
    """Before anything is asked of AWS."""
    with pytest.raises(PolicyError) as raised:
        Policy.from_json(f'{{"flow_logs": {setting}}}')
    assert told in str(raised.value)
