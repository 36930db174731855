"""The user's policy."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.errors import PolicyError
from flowwarden.policy.policy import LONGEST, Policy

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99_999) | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
"""Any JSON value, with texts that may contain anything."""


def refusal(text: str | bytes) -> str:
    """The message with which a policy is refused; '' if it is valid."""
    try:
        Policy.from_json(text)
    except PolicyError as error:
        return str(error)
    return ""


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
        ("[]", r"policy: it is not an object; write an object in \{ \}"),
        *(
            (f'{{"{name}": {{}}}}', f"policy: {name}: unknown setting; write one of own_cidrs, partner_cidrs")
            for name in ("own_cidr", "flow_log", "default", "rules", "exemptions", "where")
        ),
        ('{"own_cidrs": "10.0.0.0/8"}', r'policy: own_cidrs: "10.0.0.0/8"; write a list in \[ \]$'),
        (
            '{"own_cidrs": ["10.0.0.0/8", "10.0.0.0/33"]}',
            r"own_cidrs\[1\]: '10.0.0.0/33' .*such as 10.0.0.0/16",
        ),
        ('{"private_subnets": ["sub-1"]}', r"private_subnets\[0\]: 'sub-1'"),
        ('{"listener_only": ["10.0.0.1/8"]}', r"listener_only\[0\]: 10.0.0.1/8 has host bits set"),
        ('{"own_cidrs": ["0.0.0.0/0"]}', r"own_cidrs\[0\]: '0.0.0.0/0' is too wide.*at least /8"),
        ('{"own_cidrs": ["2000::/3"]}', r"too wide.*at least /16"),
        ('{"own_cidrs": ["fc00::/7"]}', r"own_cidrs\[0\]: 'fc00::/7' is too wide"),
        ('{"own_cidr": ["10.0.0.0/8"]}', r"own_cidr: unknown setting; .*; did you mean own_cidrs\?$"),
        (
            '{"flow_logs": {"rules": [{"wher": {}}]}}',
            r"flow_logs.rules\[0\].wher: unknown .* one of where, flow_log, level; did you mean where\?",
        ),
        ('{"zzz": 1}', "policy: zzz: unknown setting; write one of .*, flow_logs$"),
        ('{"thresholds": {"scan_hour": "many"}}', 'thresholds.scan_hour: "many"; write a whole number$'),
        ('{"service_ports": [80, 0]}', r"service_ports\[1\]: 0; write a whole number of at least 1$"),
        ('{"partner_cidrs": ["0.0.0.0/1"]}', r"partner_cidrs\[0\]: '0.0.0.0/1' is too wide"),
        ('{"service_ports": [70000]}', r"service_ports\[0\]: 70000; write a whole number of at most 32767$"),
        (
            '{"flow_logs": {"rules": [{"where": {"tags": {"a": "b"}}, "flow_log": {"retention_days": 7}}]}}',
            r"flow_logs.rules\[0\].flow_log: retention_days 7.*a different log_group_suffix",
        ),
        ('{"thresholds": {"scan_hour": 0}}', "thresholds.scan_hour: 0; write a whole number of at least 1$"),
        ('{"thresholds": {"scan": 3}}', "thresholds.scan: unknown setting; write one of scan_hour, scan_day"),
        ('{"private_subnets": ["subnet-"]}', r"private_subnets\[0\]: 'subnet-'"),
        ('{"private_subnets": ["subnet-1 or so"]}', r"private_subnets\[0\]"),
        ('{"exempt": ["fe80::1%eth0"]}', r"exempt\[0\]: .*scope id"),
        ('{"exempt": ["::ffff:10.0.0.1"]}', r"exempt\[0\]: .*; write 10\.0\.0\.1/32"),
        ('{"own_cidrs": ["::ffff:198.51.100.0/120"]}', r"own_cidrs\[0\]: .*; write 198\.51\.100\.0/24"),
        (
            '{"flow_logs": {"rules": [{"where": {"cidrs": ["::ffff:a00:0/104"]}, "flow_log": {}}]}}',
            r"cidrs\[0\]: .*; write 10\.0\.0\.0/8",
        ),
        ('{"exempt": ["eni-1"]}', r"exempt\[0\]"),
        ('{"listener_only": ["subnet-1"]}', r"listener_only\[0\]: 'subnet-1'"),
        ('{"role_tags": "Role"}', r'role_tags: "Role"; write a list in \[ \]$'),
        (
            '{"role_tags": ["Role", ""]}',
            r"role_tags\[1\]: '' is not a valid tag key; write 1 to 128 characters",
        ),
        ('{"role_tags": [" "]}', r"role_tags\[0\]: ' '"),
        (f'{{"role_tags": ["{"k" * 129}"]}}', r"role_tags\[0\]: 'k+' .*128"),
        ('{"owner_tags": "Owner"}', r'owner_tags: "Owner"; write a list in \[ \]$'),
        ('{"owner_tags": ["Owner", " "]}', r"owner_tags\[1\]: ' ' is not a valid tag key; write 1 to 128"),
        ('{"owner_tags": ["Owner", "Owner"]}', r"owner_tags\[1\]: 'Owner' occurs twice; write it once"),
        ('{"owner_tags": ["a","b","c","d","e","f","g","h","i","j","k"]}', "owner_tags: 11 .*at most 10"),
    ],
)
def test_an_error_names_path_value_and_what_is_allowed(text: str, message: str) -> None:
    """The message is sufficient to fix the policy."""
    with pytest.raises(PolicyError, match=message):
        Policy.from_json(text)


def test_role_tag_keys_are_configurable() -> None:
    """In order of priority; the list may be empty. The default is two spellings of one word."""
    assert Policy().role_tags == ("Role", "role")
    assert Policy.from_json('{"role_tags": ["Service", "team:role"]}').role_tags == ("Service", "team:role")
    assert Policy.from_json('{"role_tags": []}').role_tags == ()
    assert Policy.from_json(f'{{"role_tags": ["{"k" * 128}"]}}').role_tags == ("k" * 128,)


def test_owner_tag_keys_are_configurable() -> None:
    """In the order in which pages show them; the list may be empty. Tags of AWS can tell an owner, too."""
    assert Policy().owner_tags == ("Owner", "owner", "Team", "team", "Contact", "contact")
    keys = ("aws:cloudformation:stack-name", "CostCenter")
    assert Policy.from_json(f'{{"owner_tags": ["{keys[0]}", "{keys[1]}"]}}').owner_tags == keys
    assert Policy.from_json('{"owner_tags": []}').owner_tags == ()


@given(st.text() | st.binary())
def test_any_text_is_a_policy_or_a_policy_error(text: str | bytes) -> None:
    """No other exception is raised."""
    with suppress(PolicyError):
        assert isinstance(Policy.from_json(text), Policy)


WIDE = ("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "64.0.0.0/2", "8.0.0.0/7", "::/0", "::/1", "2000::/3")


@pytest.mark.parametrize("name", ["exempt", "private_subnets", "listener_only", "own_cidrs", "partner_cidrs"])
@pytest.mark.parametrize("wide", WIDE)
def test_a_network_wider_than_any_organization_is_refused_everywhere(name: str, wide: str) -> None:
    """One such entry would hide what the setting is for; the message says what to write."""
    with pytest.raises(PolicyError, match=rf"{name}\[1\]: '{wide}' is too wide: .*; write networks"):
        Policy.from_json(msgspec.json.encode({name: ["10.0.9.9", wide]}))


@pytest.mark.parametrize("name", ["exempt", "private_subnets", "listener_only", "own_cidrs", "partner_cidrs"])
def test_networks_that_together_cover_half_of_all_addresses_are_refused(name: str) -> None:
    """Each of them alone has an allowed length."""
    half = [f"{first}.0.0.0/8" for first in range(128)]
    with pytest.raises(PolicyError, match=f"{name}: .* cover half of all IPv4 addresses"):
        Policy.from_json(msgspec.json.encode({name: half}))
    assert not refusal(msgspec.json.encode({name: half[20:100]}))


@pytest.mark.parametrize(
    "private",
    [
        ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
        ["10.0.0.0/9", "10.128.0.0/9", "172.16.0.0/12", "192.168.0.0/17", "192.168.128.0/17"],
        ["10.0.0.0/8", "172.0.0.0/8", "192.0.0.0/8"],
    ],
)
def test_exempting_all_private_networks_is_refused(private: list[str]) -> None:
    """No finding about any host would page. As private subnets, the same networks are a usual setting."""
    with pytest.raises(PolicyError, match=r"exempt: .* cover all private addresses"):
        Policy.from_json(msgspec.json.encode({"exempt": private}))
    for name in ("private_subnets", "listener_only"):
        assert not refusal(msgspec.json.encode({name: private}))
    assert not refusal(msgspec.json.encode({"exempt": private[:-1]}))


@pytest.mark.parametrize("name", ["exempt", "private_subnets", "listener_only"])
def test_a_whole_private_range_may_be_named(name: str) -> None:
    """It is wider than a public network may be, but it contains no host of the internet."""
    for network in ("10.0.0.0/8", "fc00::/7", "fd00::/8", "100.64.0.0/10"):
        assert getattr(Policy.from_json(msgspec.json.encode({name: [network]})), name) == (network,)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"exempt": ["10.0.9.9"], "exempt": []}', "exempt"),
        ('{"exempt": ["10.0.9.9"], "\\u0065xempt": ["10.0.9.9"]}', "exempt"),
        ('{"thresholds": {"scan_hour": 9, "scan_day": 9, "scan_hour": 9}}', "thresholds.scan_hour"),
        ('{"flow_logs": {"default": {"tags": {"a": "1", "a": "2"}}}}', "flow_logs.default.tags.a"),
        (
            '{"flow_logs": {"default": {"tags": {"a b": "1", "a b": "2"}}}}',
            r"flow_logs.default.tags\['a b'\]",
        ),
        (
            '{"flow_logs": {"rules": [{"where": {"vpcs": [], "vpcs": []}, "flow_log": {}}]}}',
            r"flow_logs.rules\[0\].where.vpcs",
        ),
    ],
)
def test_a_key_that_occurs_twice_is_refused(text: str, path: str) -> None:
    """JSON readers keep one of the values and drop the other silently."""
    with pytest.raises(PolicyError, match=f"policy: {path}: occurs twice.*write it once"):
        Policy.from_json(text)


def test_the_same_key_in_two_objects_is_no_repetition() -> None:
    """Each rule has its own `where`."""
    rule = '{"where": {"vpcs": ["vpc-1"]}, "flow_log": {}}'
    assert len(Policy.from_json(f'{{"flow_logs": {{"rules": [{rule}, {rule}]}}}}').flow_logs.rules) == 2


@given(st.dictionaries(st.text(max_size=40), JSON, max_size=3))
def test_a_refusal_is_one_bounded_printable_line(document: dict[str, Any]) -> None:
    """Names and values of the document appear in it, whatever they contain."""
    said = refusal(msgspec.json.encode(document))
    assert said.isprintable()
    assert len(said) < 2_000


def test_a_deeply_nested_or_long_value_is_not_shown_in_full() -> None:
    """The message stays readable."""
    for value in ("[" * 50_000 + "]" * 50_000, f'"{"x" * 50_000}"'):
        assert "exemptt" in refusal(f'{{"exemptt": {value}}}')
        assert len(refusal(f'{{"exemptt": {value}}}')) < 500


@pytest.mark.parametrize("unit", ["[", "{", " ", '"x",', "1,"])
def test_a_policy_of_megabytes_is_refused_before_it_is_parsed(unit: str) -> None:
    """Parsing several megabytes takes seconds; a policy that just fits is refused for what it contains."""
    assert "write at most 131,072" in refusal(unit * (LONGEST // len(unit) + 1))
    assert "write at most" not in refusal(unit * (LONGEST // len(unit)))


@pytest.mark.parametrize("levels", [60, 900, 1100, 5_000, 9_000, 50_000])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}"), ('{"a":[', "]}")])
@pytest.mark.parametrize("place", ["{}", '{{"exemptt": {}}}', '{{"exempt": {}}}', '{{"flow_logs": {}}}'])
def test_no_depth_exhausts_the_stack(place: str, begin: str, end: str, levels: int) -> None:
    """Whether it can be decoded, encoded or neither: it is refused like any other mistake."""
    said = refusal(place.format(f"{begin * levels}1{end * levels}"))
    assert said.startswith("policy: ")
    assert len(said) < 2_000
