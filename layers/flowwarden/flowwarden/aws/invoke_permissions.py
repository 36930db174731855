"""Who may invoke the monitor, in its resource policy: implements `ports.InvokePermissions`.

The enforcer only reads, adds and removes statements of its own, whose ids have a prefix.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from flowwarden.aws.answers import Answer
from flowwarden.aws.errors import classified, classify
from flowwarden.enforcer.decide.subscriptions import STATEMENTS, AllowInvocation, RevokeInvocation
from flowwarden.errors import AlreadyExists, CallFailed, EnforcementError, NotFound

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_lambda import LambdaClient

ACTIONS = ("lambda:GetPolicy", "lambda:AddPermission", "lambda:RemovePermission")
"""The IAM actions that this file needs."""

INVOKE: Final = "lambda:InvokeFunction"
_LOG_GROUP: Final = ":log-group:"


class MonitorPermissions:
    """The resource policy of one function."""

    def __init__(self, client: LambdaClient, function_arn: str, account_id: str, dns_suffix: str) -> None:
        """Bind the calls to a function.

        Args:
            client: Lambda.
            function_arn: the monitor's function.
            account_id: the account of the log groups.
            dns_suffix: that of the partition, such as `amazonaws.com`: CloudWatch Logs is a principal there.
        """
        self._client = client
        self._function_arn = function_arn
        self._account_id = account_id
        self._principal = f"logs.{dns_suffix}"
        arn = function_arn.split(":")
        self._prefix = f"arn:{arn[1]}:logs:{arn[3]}:{account_id}{_LOG_GROUP}"

    def granted(self) -> Mapping[str, str]:
        """See the port."""
        try:
            with classified("GetPolicy", _classify):
                answer = Answer(self._client.get_policy(FunctionName=self._function_arn))
        except NotFound:
            return {}
        return dict(_named(answer.text("Policy")))

    def change(self, step: AllowInvocation | RevokeInvocation) -> None:
        """See the port. A statement with the same id that allows something else is replaced.

        One that allows the same stays: another run may have granted it just now, or it could not be read
        before. While it is replaced, CloudWatch Logs may not invoke the monitor, and drops the records.
        """
        if isinstance(step, RevokeInvocation):
            self._revoke(step.statement_id)
            return
        try:
            self._allow(step)
        except AlreadyExists:
            if self.granted().get(step.statement_id) == step.group:
                return
            self._revoke(step.statement_id)
            self._allow(step)

    def _allow(self, step: AllowInvocation) -> None:
        with classified("AddPermission", _classify):
            self._client.add_permission(
                FunctionName=self._function_arn,
                StatementId=step.statement_id,
                Action=INVOKE,
                Principal=self._principal,
                SourceArn=f"{self._prefix}{step.group}:*",
                SourceAccount=self._account_id,
            )

    def _revoke(self, statement_id: str) -> None:
        try:
            with classified("RemovePermission", _classify):
                self._client.remove_permission(FunctionName=self._function_arn, StatementId=statement_id)
        except NotFound:
            return


def _named(policy: str) -> Iterator[tuple[str, str]]:
    """The enforcer's statements: id, and the name or pattern in the source's ARN."""
    try:
        document: Any = json.loads(policy)
    except ValueError as error:
        raise CallFailed(f"GetPolicy: the policy is not JSON: {error}") from error
    for each in Answer(document).each("Statement"):
        if (sid := each.text("Sid")).startswith(STATEMENTS):
            yield sid, _source(each).partition(_LOG_GROUP)[2].removesuffix(":*")


def _source(statement: Answer) -> str:
    """The ARN in the condition, whose operator and key AWS writes in different cases."""
    condition = statement.inner("Condition")
    for operator in ("ArnLike", "ArnEquals", "StringLike"):
        for key in ("AWS:SourceArn", "aws:SourceArn"):
            if found := condition.inner(operator).text(key):
                return found
    return ""


def _classify(call: str, code: str, message: str, status: int = 0) -> EnforcementError:
    if code == "ResourceNotFoundException":
        return NotFound(f"{call}: {code}: {message}")
    if code == "ResourceConflictException" and "already exists" in message:
        return AlreadyExists(f"{call}: {code}: {message}")
    if code == "ResourceConflictException":
        return CallFailed(f"{call}: {code}: {message}")
    return classify(call, code, message, status)
