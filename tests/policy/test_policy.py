"""The user's policy."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.errors import PolicyError
from flowwarden.policy.policy import Policy


def test_an_empty_policy_is_valid() -> None:
    """Every setting has a default."""
    assert Policy.from_json("{}") == Policy()


def test_ids_and_networks_can_be_mixed() -> None:
    """A list can contain both."""
    policy = Policy.from_json(
        '{"private_subnets": ["subnet-1", "10.0.2.0/24"], "listener_only": ["eni-1", "::1"]}'
    )
    assert policy.private_subnets == ("subnet-1", "10.0.2.0/24")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "policy: not JSON"),
        ("[]", "Expected `object`, got `array`"),
        *(
            (f'{{"{name}": {{}}}}', f"unknown field `{name}`; allowed settings: own_cidrs, partner_cidrs")
            for name in ("own_cidr", "flow_log", "default", "rules", "exemptions", "where")
        ),
        ('{"own_cidrs": "10.0.0.0/8"}', r"Expected `array`, got `str` - at `\$.own_cidrs`"),
        (
            '{"own_cidrs": ["10.0.0.0/8", "10.0.0.0/33"]}',
            r"own_cidrs\[1\]: '10.0.0.0/33' .*such as 10.0.0.0/16",
        ),
        ('{"private_subnets": ["sub-1"]}', r"private_subnets\[0\]: 'sub-1'"),
        ('{"listener_only": ["10.0.0.1/8"]}', r"listener_only\[0\]: 10.0.0.1/8 has host bits set"),
        ('{"own_cidrs": ["0.0.0.0/0"]}', r"own_cidrs\[0\]: '0.0.0.0/0' is too wide.*at least /8"),
        ('{"own_cidrs": ["2000::/3"]}', r"too wide.*at least /16"),
        ('{"partner_cidrs": ["0.0.0.0/1"]}', r"partner_cidrs\[0\]: '0.0.0.0/1' is too wide"),
        ('{"service_ports": [70000]}', r"<= 32767 - at `\$.service_ports\[0\]`"),
        (
            '{"flow_logs": {"rules": [{"where": {"tags": {"a": "b"}}, "flow_log": {"retention_days": 7}}]}}',
            r"flow_logs.rules\[0\].flow_log: retention_days 7.*a different log_group_suffix",
        ),
        ('{"thresholds": {"scan_hour": 0}}', r">= 1 - at `\$.thresholds.scan_hour`"),
        ('{"thresholds": {"scan": 3}}', r"unknown field `scan`.*allowed settings: scan_hour, scan_day"),
        ('{"private_subnets": ["subnet-"]}', r"private_subnets\[0\]: 'subnet-'"),
        ('{"private_subnets": ["subnet-1 or so"]}', r"private_subnets\[0\]"),
        ('{"exempt": ["fe80::1%eth0"]}', r"exempt\[0\]: .*scope id"),
        ('{"exempt": ["eni-1"]}', r"exempt\[0\]"),
        ('{"listener_only": ["subnet-1"]}', r"listener_only\[0\]: 'subnet-1'"),
        ('{"role_tags": "Role"}', r"Expected `array`, got `str` - at `\$.role_tags`"),
        (
            '{"role_tags": ["Role", ""]}',
            r"role_tags\[1\]: '' is not a valid tag key; write 1 to 128 characters",
        ),
        ('{"role_tags": [" "]}', r"role_tags\[0\]: ' '"),
        (f'{{"role_tags": ["{"k" * 129}"]}}', r"role_tags\[0\]: 'k+' .*128"),
    ],
)
def test_an_error_names_path_value_and_what_is_allowed(text: str, message: str) -> None:
    """The message is sufficient to fix the policy."""
    with pytest.raises(PolicyError, match=message):
        Policy.from_json(text)


def test_role_tag_keys_are_configurable() -> None:
    """In order of priority; none is allowed, too. The default is two spellings of one word."""
    assert Policy().role_tags == ("Role", "role")
    assert Policy.from_json('{"role_tags": ["Service", "team:role"]}').role_tags == ("Service", "team:role")
    assert Policy.from_json('{"role_tags": []}').role_tags == ()
    assert Policy.from_json(f'{{"role_tags": ["{"k" * 128}"]}}').role_tags == ("k" * 128,)


@given(st.text() | st.binary())
def test_any_text_is_a_policy_or_a_policy_error(text: str | bytes) -> None:
    """No other exception is raised."""
    with suppress(PolicyError):
        assert isinstance(Policy.from_json(text), Policy)
