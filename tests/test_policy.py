"""The user's policy."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.errors import PolicyError
from flowwarden.policy import Policy


def test_no_policy_works() -> None:
    """Every setting has a default."""
    assert Policy.from_json("{}") == Policy()


def test_ids_and_networks_may_be_mixed() -> None:
    """Whatever names the place."""
    policy = Policy.from_json(
        '{"private_subnets": ["subnet-1", "10.0.2.0/24"], "listener_only": ["eni-1", "::1"]}'
    )
    assert policy.private_subnets == ("subnet-1", "10.0.2.0/24")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "policy: not JSON"),
        ("[]", "Expected `object`, got `array`"),
        ('{"own_cidr": []}', "unknown field `own_cidr`; allowed settings: own_cidrs, private_subnets"),
        ('{"own_cidrs": "10.0.0.0/8"}', r"Expected `array`, got `str` - at `\$.own_cidrs`"),
        (
            '{"own_cidrs": ["10.0.0.0/8", "10.0.0.0/33"]}',
            r"own_cidrs\[1\]: '10.0.0.0/33' .*such as 10.0.0.0/16",
        ),
        ('{"private_subnets": ["sub-1"]}', r"private_subnets\[0\]: 'sub-1'"),
        ('{"listener_only": ["10.0.0.1/8"]}', r"listener_only\[0\]: 10.0.0.1/8 has host bits set"),
        ('{"own_cidrs": ["0.0.0.0/0"]}', r"own_cidrs\[0\]: '0.0.0.0/0' is too wide.*at least /8"),
        ('{"own_cidrs": ["2000::/3"]}', r"too wide.*at least /16"),
        ('{"private_subnets": ["subnet-"]}', r"private_subnets\[0\]: 'subnet-'"),
        ('{"private_subnets": ["subnet-1 or so"]}', r"private_subnets\[0\]"),
        ('{"exempt": ["fe80::1%eth0"]}', r"exempt\[0\]: .*scope id"),
        ('{"exempt": ["eni-1"]}', r"exempt\[0\]"),
        ('{"listener_only": ["subnet-1"]}', r"listener_only\[0\]: 'subnet-1'"),
    ],
)
def test_an_error_names_path_value_and_what_is_allowed(text: str, message: str) -> None:
    """Somebody has to mend it from the message alone."""
    with pytest.raises(PolicyError, match=message):
        Policy.from_json(text)


@given(st.text() | st.binary())
def test_any_text_is_a_policy_or_a_named_error(text: str | bytes) -> None:
    """Nothing else comes out."""
    with suppress(PolicyError):
        assert isinstance(Policy.from_json(text), Policy)
