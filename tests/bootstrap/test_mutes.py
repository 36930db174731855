"""Mutes that no finding can match are refused before a deployment."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from flowwarden.bootstrap.deployment import check
from flowwarden.bootstrap.mutes import ROLE_KINDS, TELEMETRY
from flowwarden.errors import PolicyError
from flowwarden.monitor.findings import TrafficFinding
from flowwarden.network.roles import AUTO_SCALING_TAG, role_of
from flowwarden.policy.policy import Policy
from tests.monitor.fakes_interfaces import interface
from tests.monitor.render.examples import EXAMPLES


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"role": "web"}, "role: 'web' is not a role; write it as a page shows it: tag:KEY=VALUE, asg:NAME"),
        ({"role": "tags:Role=web"}, "role: 'tags:Role=web' is not a role"),
        ({"role": "tag:Role"}, "role: 'tag:Role' is not a role"),
        ({"role": "sg:"}, "role: 'sg:' is not a role"),
        ({"detector": "interface-silent", "peer": "own"}, "peer: findings of interface-silent are not about"),
        (
            {"detector": "records-skipped", "service": "tcp/22"},
            "service: findings of records-skipped are not",
        ),
        ({"detector": "unparsed-lines", "vpc": "vpc-1"}, "vpc: findings of unparsed-lines are not about"),
        ({"detector": "unjudged-records", "role": "sg:sg-1"}, "role: findings of unjudged-records are not"),
    ],
)
def test_a_mute_that_matches_nothing_is_refused(members: dict[str, str], message: str) -> None:
    """Before the deployment; a running monitor reads such a policy."""
    document = json.dumps({"mutes": [members | {"until": "never", "reason": "x"}]})
    with pytest.raises(PolicyError, match=rf"policy: mutes\[0\].{message}"):
        check({"Policy": document})
    assert Policy.from_json(document).mutes


@pytest.mark.parametrize(
    "members",
    [
        *(
            {"role": role}
            for role in ("tag:Role=web", "asg:web", "sg:sg-1+sg-2", "subnet:subnet-1", "unknown")
        ),
        {"detector": "interface-silent", "subject": "eni-1"},
        {"detector": "scan", "peer": "own", "service": "tcp/22", "role": "asg:web", "vpc": "vpc-1"},
    ],
)
def test_a_mute_that_can_match_is_valid(members: dict[str, str]) -> None:
    """Of traffic and of telemetry."""
    check({"Policy": json.dumps({"mutes": [members | {"until": "never", "reason": "x"}]})})


def test_every_kind_of_role_can_be_muted() -> None:
    """The table of their prefixes is complete."""
    tagged = interface("eni-1")
    scaled = replace(tagged, tags={AUTO_SCALING_TAG: "web"})
    plain = replace(tagged, tags={})
    found = [role_of(each, ("Role",)) for each in (tagged, scaled, plain, replace(plain, security_groups=()))]
    assert [f"{each.partition(':')[0]}:" for each in found] == [*ROLE_KINDS]


def test_the_detectors_without_traffic_are_known() -> None:
    """Those whose findings are not about flows."""
    examples = {name: make() for name, make in EXAMPLES.items()}
    assert {name for name, each in examples.items() if not isinstance(each, TrafficFinding)} == TELEMETRY
