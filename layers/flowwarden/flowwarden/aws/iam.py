"""The part of IAM that the enforcer reads: implements `ports.RoleService`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from flowwarden.aws.calls import classified, classify
from flowwarden.compliance.upkeep import DeliveryRole
from flowwarden.errors import EnforcementError, NotThere

if TYPE_CHECKING:
    # The stubs are no part of the Lambda runtime.
    from mypy_boto3_iam import IAMClient

ACTIONS = ("iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies")
"""The IAM actions that this file needs."""

ALLOW: Final = "Allow"


class Roles:
    """Roles of the account that the client is made for."""

    def __init__(self, client: IAMClient) -> None:
        self._client = client

    def describe(self, role_arn: str) -> DeliveryRole | None:
        """As the port says. Costs three calls, and one for each of the role's own policies."""
        name = role_arn.rpartition("/")[2]
        try:
            with classified("GetRole", _classify):
                role = self._client.get_role(RoleName=name)["Role"]
                inline = self._client.list_role_policies(RoleName=name)["PolicyNames"]
                allowed = [action for each in inline for action in self._allowed(name, each)]
                attached = self._client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        except NotThere:
            return None
        return DeliveryRole(
            trusted=tuple(_trusted(_document(role.get("AssumeRolePolicyDocument")))),
            allowed=tuple(allowed),
            attached=tuple(each.get("PolicyArn", "") for each in attached),
            boundary=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        )

    def _allowed(self, name: str, policy: str) -> Iterator[str]:
        answer = self._client.get_role_policy(RoleName=name, PolicyName=policy)
        for statement in _statements(_document(answer["PolicyDocument"])):
            if statement.get("Effect") == ALLOW:
                yield from _as_list(statement.get("Action"))


def _trusted(document: Mapping[str, Any]) -> Iterator[str]:
    for statement in _statements(document):
        principal = statement.get("Principal")
        if statement.get("Effect") == ALLOW and isinstance(principal, Mapping):
            yield from _as_list(principal.get("Service"))


def _document(told: object) -> Mapping[str, Any]:
    """A policy's document, which botocore decodes."""
    return told if isinstance(told, Mapping) else {}


def _statements(document: Mapping[str, Any]) -> list[Any]:
    return _as_list(document.get("Statement"))


def _as_list(told: Any) -> list[Any]:  # noqa: ANN401 - one item may stand for a list
    if isinstance(told, list):
        return told
    return [told] if told else []


def _classify(call: str, code: str, message: str, status: int = 0) -> EnforcementError:
    if code in {"NoSuchEntity", "NoSuchEntityException"}:
        return NotThere(f"{call}: {code}: {message}")
    return classify(call, code, message, status)
