"""Pages about rejections with what the rules say, for the golden pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from flowwarden.monitor.detectors import blocked_connection, nacl_blocks_replies
from flowwarden.monitor.findings import TrafficFinding
from flowwarden.monitor.rules.explainer import RuleExplainer
from flowwarden.monitor.rules.explanation import Explanation
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.rules.model import NetworkAcl, SecurityGroup
from flowwarden.records.model import FlowDirection
from flowwarden.state.rule_changes import RuleChange
from tests.flows import START, flow, rejected
from tests.monitor.batches import finding_with
from tests.monitor.fakes_rules import FakeChanges, FakeRules
from tests.network.rules.written import acl, group

IN, OUT = FlowDirection.INGRESS, FlowDirection.EGRESS
PLACE: Final = {"vpc_id": "vpc-1", "subnet_id": "subnet-2", "interface_id": "eni-2"}
CLIENT, SERVER = (
    NetworkInterface(
        interface_id=f"eni-{number}",
        vpc_id="vpc-1",
        subnet_id=f"subnet-{number}",
        addresses=(address,),
        security_groups=(name,),
        instance_id=f"i-{number}",
    )
    for number, address, name in ((1, "10.0.1.20", "sg-web"), (2, "10.0.2.30", "sg-db"))
)
WEB: Final = group("sg-web", outbound=("all from 0.0.0.0/0",))
REVOKED: Final = RuleChange(
    resource="sg-db",
    call="RevokeSecurityGroupIngress",
    call_id="0a1b2c3d-0000-4000-8000-000000000001",
    at=START - 180,
    actor="arn:aws:sts::111122223333:assumed-role/network-team/alex",
    what="tcp/5432 10.0.0.0/16",
)


class Rules(Struct, frozen=True, kw_only=True):
    """A finding, and the rules at the time of its page."""

    finding: TrafficFinding
    db: SecurityGroup = group("sg-db", ("all from 0.0.0.0/0",), ("all from 0.0.0.0/0",))
    acls: Mapping[str, NetworkAcl] = {}
    changes: tuple[RuleChange, ...] = ()
    away: str = ""

    def explanation(self) -> Explanation:
        """What the page says about the rules."""
        acls = {each: acl(acl_id=f"acl-{each}") for each in ("subnet-1", "subnet-2")} | dict(self.acls)
        known = {"sg-web": WEB, "sg-db": self.db}
        directory = FakeRules((CLIENT, SERVER), known, acls, away=self.away)
        explainer = RuleExplainer(directory, FakeChanges(self.changes), _fail)
        return explainer.for_batch(START + 300, lambda: 40.0, lambda _: ("10.0.0.0/16",))(
            self.finding.example
        )


def _fail(message: str) -> None:
    raise AssertionError(message)


def _blocked() -> TrafficFinding:
    asked = rejected("10.0.1.20:50000", "10.0.2.30:5432", tcp_flags=2, flow_direction=IN, **PLACE)
    return finding_with(blocked_connection.DETECTOR)([asked])[0]


def _replies() -> TrafficFinding:
    ends = [(f"10.0.1.20:4000{each}", "10.0.2.30:443") for each in range(3)]
    requests = [flow(*each, tcp_flags=2, flow_direction=IN, **PLACE) for each in ends]
    answers = [rejected(*each[::-1], tcp_flags=18, flow_direction=OUT, **PLACE) for each in ends]
    return finding_with(nacl_blocks_replies.DETECTOR)([*requests, *answers])[0]


PAGES: Final[Mapping[str, Rules]] = {
    "rules-security-group": Rules(
        finding=_blocked(),
        db=group("sg-db", ("tcp/5432 from 10.0.9.0/24", "tcp/22 from sg-web")),
        acls={"subnet-2": acl(outbound=("100 allow tcp/443 0.0.0.0/0",), acl_id="acl-2")},
        changes=(REVOKED,),
    ),
    "rules-network-acl": Rules(
        finding=_blocked(),
        acls={"subnet-2": acl(("90 deny tcp 10.0.1.0/24", "100 allow all 0.0.0.0/0"), acl_id="acl-2")},
    ),
    "rules-replies": Rules(
        finding=_replies(),
        acls={"subnet-2": acl(outbound=("100 allow tcp/443 0.0.0.0/0",), acl_id="acl-2")},
    ),
    "rules-allow-now": Rules(finding=_blocked(), changes=(REVOKED,)),
    "rules-unknown": Rules(
        finding=_blocked(), away="EC2 did not answer DescribeNetworkInterfaces within 2 s"
    ),
}
"""By the name of the golden page."""
