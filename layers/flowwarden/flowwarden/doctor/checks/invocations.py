"""Whether CloudWatch Logs and EventBridge may invoke the functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.checks.rules import function_of
from flowwarden.doctor.fact import Fact
from flowwarden.doctor.facts import Facts, Permission
from flowwarden.doctor.line import Found, Problem, Verdict
from flowwarden.enforcer.decide.iam_policy import AccessRequest, Permitted, Statement, evaluate

MONITOR: Final = "MonitorFunction"
INVOKE: Final = "lambda:InvokeFunction"
EVENTS: Final = "events."
LOGS: Final = "logs."

NOT_ALLOWED: Final = Problem(
    name="invocation-denied",
    verdict=Verdict.FAILED,
    text="{source} may not invoke the function, because its policy does not allow it",
    fix="aws lambda add-permission --function-name {name} --statement-id restored-{number} --action "
    "lambda:InvokeFunction --principal {principal} --source-arn {arn} --region {region}",
)

OPEN: Final = Problem(
    name="invocation-open",
    verdict=Verdict.WARNING,
    text="the statement {statement} of the function's policy lets CloudWatch Logs of every account invoke "
    "it: it names neither the account nor a source of this account",
    fix="aws lambda remove-permission --function-name {name} --statement-id {statement} --region {region}; "
    "the stack and the enforcer grant only statements that name both",
)


def _judge(logical_id: str, permissions: tuple[Permission, ...], facts: Facts) -> Iterator[Found]:
    name = facts.resources.get(logical_id, logical_id)
    for number, (source, arn) in enumerate(_sources(logical_id, facts).items(), 1):
        service = LOGS if logical_id == MONITOR else EVENTS
        if not _allows(permissions, service, arn):
            principal = f"{service}{_suffix(facts, service)}"
            yield NOT_ALLOWED.of(source=source, name=name, number=number, principal=principal, arn=arn)
    for each in permissions:
        if logical_id == MONITOR and each.service.startswith(LOGS) and each.is_open:
            yield OPEN.of(name=name, statement=each.statement_id)


def _suffix(facts: Facts, service: str) -> str:
    """Of the service's principal: only that of CloudWatch Logs has the suffix of China there."""
    is_china = facts.place.partition == "aws-cn" and service == LOGS
    return "amazonaws.com.cn" if is_china else "amazonaws.com"


def _sources(logical_id: str, facts: Facts) -> Mapping[str, str]:
    """The ARNs of what must invoke the function, by the words of a line."""
    place = facts.place
    begin = f"arn:{place.partition}:{{}}:{place.region}:{place.account}:"
    if logical_id == MONITOR:
        return {f"log group {each}": f"{begin.format('logs')}log-group:{each}:*" for each in facts.groups}
    return {
        f"rule {each}": f"{begin.format('events')}rule/{facts.resources.get(each, '')}"
        for each in facts.rules
        if function_of(each) == logical_id
    }


def _allows(permissions: Iterable[Permission], service: str, arn: str) -> bool:
    statements = [
        Statement(allows=True, actions=(INVOKE,), resources=(each.source or "*",))
        for each in permissions
        if each.service.startswith(service)
    ]
    return evaluate(statements, AccessRequest(action=INVOKE, resources=(arn,))) is Permitted.YES


def _of_functions(facts: Facts) -> Mapping[str, Fact[tuple[Permission, ...]]]:
    """The policies of the functions that exist; one without a policy allows nothing."""
    return {
        name: () if found is None else found
        for name, found in facts.permissions.items()
        if facts.functions.get(name) is not None
    }


CHECK: Final = Check(
    name="invocations",
    verifies="the log groups may invoke the monitor, those of other accounts may not, and each rule may "
    "invoke its function",
    sound="may be invoked by the log groups and rules",
    subjects=_of_functions,
    judge=_judge,
    problems=(NOT_ALLOWED, OPEN),
)
