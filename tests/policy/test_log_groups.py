"""Names and patterns of existing log groups: what they name, and that they never name that of a function."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.errors import PolicyError
from flowwarden.policy.log_groups import FUNCTIONS, covers, is_of_function, matches, problem_of
from flowwarden.policy.policy import Policy
from tests.examples import examples

OWN = "/aws/lambda/flow-warden-monitor"

FRAGMENTS = st.sampled_from(
    [
        "/",
        "aws",
        "a",
        "lambda",
        "/aws/lambda",
        "/aws/lambda/",
        "/aws/lambda-insights",
        "/aws/application-signals/",
        "aws/spans",
        "sns/",
        "/aws/vpc/",
        "vpc-1",
        "flow",
        "-",
        "*",
        "x",
        ".",
        "#",
    ]
)
NAMES = st.lists(FRAGMENTS, max_size=6).map("".join)
"""Names and patterns, most of them near those of functions."""


@given(NAMES, NAMES, st.sampled_from(FUNCTIONS))
@examples(4)
def test_no_accepted_name_or_pattern_names_the_group_of_a_function(name: str, rest: str, kind: str) -> None:
    """Neither by its own rule nor as the source of an invoke permission, whose `*` matches anything."""
    group = f"{kind}{rest}"
    assert not matches(name, group)
    if not problem_of(name):
        assert name.count("*") <= 1
        source = re.compile(re.escape(f"{name}:*").replace(r"\*", ".*"), re.DOTALL)
        assert not source.fullmatch(f"{group}:log-stream:x")


@pytest.mark.parametrize(
    "name",
    [
        *("*", "/*", "/a*", "/aws*", "/aws/*", "/aws/l*", "/aws/lambda*", "/aws/lambda/*", OWN, f"{OWN}*"),
        *(
            "/aws/lambda",
            "/aws/lambda-insights",
            "/aws/lambda-in*",
            "/aws/application-signals/data",
            "/aws/a*",
        ),
        *("aws/spans", "aws*", "a*", "sns/eu-west-1/111122223333/pages", "s*"),
    ],
)
def test_a_dangerous_name_is_refused_with_what_to_write(name: str) -> None:
    """Also the groups of other functions: their lines are no flow records."""
    with pytest.raises(PolicyError, match=r"log_groups\[0\].name: .* names log groups of functions"):
        Policy.from_json(f'{{"flow_logs": {{"log_groups": [{{"name": "{name}"}}]}}}}')


@pytest.mark.parametrize(
    "name", ["/aws/vpc/*", "/aws/lamb", "/aws/transitgateway/*", "flow-logs", "/x/*", "aws/vpc", "sns-flows"]
)
def test_a_harmless_name_is_accepted(name: str) -> None:
    """Similar names are no function's groups."""
    text = f'{{"flow_logs": {{"log_groups": [{{"name": "{name}", "tags": {{"team": "net"}}}}]}}}}'
    (selection,) = Policy.from_json(text).flow_logs.log_groups
    assert (selection.name, selection.is_pattern) == (name, name.endswith("*"))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ('[{"name": ""}]', "write 1 to 512 letters"),
        ('[{"name": "/aws/*/flow"}]', "write 1 to 512 letters"),
        ('[{"name": "/x y"}]', "write 1 to 512 letters"),
        ('[{"name": "/x"}, {"name": "/x"}]', r"log_groups\[1\].name: '/x'; it is in the list twice"),
        ('[{"name": "/x", "tags": {"team": ""}}]', "write a key and a value"),
        (
            f"[{', '.join(f'{{"name": "/x{n}"}}' for n in range(21))}]",
            "21 names and patterns; write at most 20",
        ),
        ('[{"nam": "/x"}]', "did you mean name"),
        ('["/x"]', "an object"),
    ],
)
def test_what_cannot_be_a_log_group_is_refused(groups: str, message: str) -> None:
    """With its path."""
    with pytest.raises(PolicyError, match=message):
        Policy.from_json(f'{{"flow_logs": {{"log_groups": {groups}}}}}')


def test_by_default_the_groups_of_telemetry_rules_are_read() -> None:
    """With `beside`, none are."""
    assert [each.name for each in Policy().flow_logs.adopted] == ["/aws/vpc/*"]
    assert Policy.from_json('{"flow_logs": {"unmanaged": "beside"}}').flow_logs.adopted == ()


def test_a_pattern_covers_narrower_ones() -> None:
    """So the parameter may be wider than the policy, and not the other way round."""
    assert covers("/aws/vpc/*", "/aws/vpc/vpc-1")
    assert covers("/aws/vpc/*", "/aws/vpc/vpc-*")
    assert not covers("/aws/vpc/vpc-*", "/aws/vpc/*")
    assert not covers("/aws/vpc/x", "/aws/vpc/x*")
    assert not is_of_function("/aws/vpc/lambda")
