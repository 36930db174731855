"""Whether the roles exist, trust their service, and allow the actions that the stack needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.fact import Unread
from flowwarden.doctor.facts import Facts
from flowwarden.doctor.fixes import RESTORE
from flowwarden.doctor.line import Found, Problem, Verdict
from flowwarden.enforcer.decide.delivery_role import NEEDED, SERVICE, DeliveryRole
from flowwarden.enforcer.decide.iam_policy import AccessRequest, Permitted, evaluate

LAMBDA: Final = "lambda.amazonaws.com"
DELIVERY: Final = "DeliveryRole"

MISSING: Final = Problem(
    name="role-missing", verdict=Verdict.FAILED, text="the role does not exist", fix=RESTORE
)
NOT_TRUSTED: Final = Problem(
    name="role-untrusted",
    verdict=Verdict.FAILED,
    text="the role no longer trusts {service}, which must assume it",
    fix=RESTORE,
)
DENIED: Final = Problem(
    name="role-denied",
    verdict=Verdict.FAILED,
    text="the role does not allow {actions}",
    fix=f"remove the statements that deny these actions; if there are none, {RESTORE}",
)
BOUNDED: Final = Problem(
    name="role-bounded",
    verdict=Verdict.WARNING,
    text="the role has the permissions boundary {boundary}, which may deny what it needs",
    fix="check that the boundary allows what SECURITY.md lists for the role, or remove it with aws iam "
    "delete-role-permissions-boundary --role-name {name}",
)


def _judge(logical_id: str, role: DeliveryRole, facts: Facts) -> Iterator[Found | Unread]:
    service = SERVICE if logical_id == DELIVERY else LAMBDA
    if not {service, "*"} & set(role.trusted):
        yield NOT_TRUSTED.of(service=service)
    for each in role.unread:
        yield Unread(each)
    denied = [] if role.unread else _denied(role, _needed(logical_id, facts))
    if denied:
        yield DENIED.of(actions=", ".join(denied))
    if role.boundary:
        yield BOUNDED.of(boundary=role.boundary, name=facts.resources.get(logical_id, logical_id))


def _denied(role: DeliveryRole, needed: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The actions that the role certainly does not allow on a resource."""
    return [
        action
        for action, resources in needed.items()
        if any(
            evaluate(role.statements, AccessRequest(action=action, resources=(each,))) is Permitted.NO
            for each in resources
        )
    ]


def _needed(logical_id: str, facts: Facts) -> dict[str, tuple[str, ...]]:
    """The actions without which the role's user does not work, with the resources."""
    topics, table = _topics(facts), _arn(facts, "dynamodb", f"table/{facts.resources.get('StateTable', '')}")
    group = _arn(facts, "logs", f"log-group:{facts.resources.get('FlowLogGroup', '')}")
    match logical_id:
        case "MonitorRole":
            return {
                "dynamodb:UpdateItem": (table,), "dynamodb:GetItem": (table,),
                "dynamodb:BatchGetItem": (table,), "sns:Publish": topics, "ec2:DescribeFlowLogs": ("*",),
                "ec2:DescribeNetworkInterfaces": ("*",),
            }  # fmt: skip
        case "EnforcerRole":
            return {
                "ec2:DescribeVpcs": ("*",), "ec2:DescribeFlowLogs": ("*",), "logs:DescribeLogGroups": ("*",),
                "ec2:CreateFlowLogs": (_arn(facts, "ec2", "vpc/vpc-0"),),
                "logs:PutSubscriptionFilter": (group,), "dynamodb:Query": (table,),
                "dynamodb:UpdateItem": (table,), "sns:Publish": topics[1:],
            }  # fmt: skip
        case "DispatcherRole":
            return {
                "dynamodb:Query": (f"{table}/index/open",), "dynamodb:UpdateItem": (table,),
                "sns:Publish": topics,
            }  # fmt: skip
        case "DeliveryRole":
            return dict.fromkeys(NEEDED, (f"{group}:log-stream:eni-0-all",))
    return {}


def _topics(facts: Facts) -> tuple[str, ...]:
    """The ARNs of the topics for pages and operations."""
    return tuple(facts.resources.get(each, "") for each in ("PagesTopic", "OperationsTopic"))


def _arn(facts: Facts, service: str, resource: str) -> str:
    place = facts.place
    return f"arn:{place.partition}:{service}:{place.region}:{place.account}:{resource}"


CHECK: Final = Check(
    name="roles",
    verifies="each role exists, trusts its service, and allows the actions that its function, or the "
    "delivery of flow logs, needs",
    sound="present, with the required trust and permissions",
    subjects=lambda facts: facts.roles,
    judge=_judge,
    missing=MISSING,
    problems=(MISSING, NOT_TRUSTED, DENIED, BOUNDED),
)
