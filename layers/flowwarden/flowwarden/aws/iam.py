"""The part of IAM that the enforcer reads: implements `ports.RoleService`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from flowwarden.aws.errors import classified, classify
from flowwarden.enforcer.decide.delivery_role import SERVICE, DeliveryRole
from flowwarden.enforcer.decide.iam_policy import Able, Deed, Statement, able
from flowwarden.errors import CallRefused, EnforcementError, NotThere

if TYPE_CHECKING:
    # The stubs are no part of the Lambda runtime.
    from mypy_boto3_iam import IAMClient

ACTIONS = (
    "iam:GetRole",
    "iam:ListRolePolicies",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
)
"""The IAM actions that this file needs."""

ALLOW: Final = "Allow"
DENY: Final = "Deny"
ANYBODY: Final = "*"
ASSUMING: Final = Deed(action="sts:AssumeRole", resources=(ANYBODY,))
"""A trust policy names no resource: it stands for its role."""


class Roles:
    """Roles of the account that the client is made for."""

    def __init__(self, client: IAMClient) -> None:
        self._client = client

    def describe(self, role_arn: str) -> DeliveryRole | None:
        """As the port says. Costs three calls, one for each of its own policies, two for attached ones.

        Policies that IAM refuses to tell are named in the answer, and hide no others of another kind.
        """
        name = role_arn.rpartition("/")[2]
        try:
            with classified("GetRole", _classify):
                role = self._client.get_role(RoleName=name)["Role"]
        except NotThere:
            return None
        statements: list[Statement] = []
        unread: list[str] = []
        for documents in (self._own(name), self._attached(name)):
            try:
                for each in documents:
                    statements += statements_of(each)
            except CallRefused as error:
                unread.append(str(error))
        return DeliveryRole(
            trusted=tuple(trusted_by(_document(role.get("AssumeRolePolicyDocument")))),
            statements=tuple(statements),
            unread=tuple(unread),
            boundary=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        )

    def _own(self, name: str) -> Iterator[Mapping[str, Any]]:
        """The documents of the policies that are part of the role."""
        with classified("ListRolePolicies"):
            pages = self._client.get_paginator("list_role_policies").paginate(RoleName=name)
            policies = [each for page in pages for each in page["PolicyNames"]]
        for policy in policies:
            with classified("GetRolePolicy"):
                told = self._client.get_role_policy(RoleName=name, PolicyName=policy)
            yield _document(told.get("PolicyDocument"))

    def _attached(self, name: str) -> Iterator[Mapping[str, Any]]:
        """The documents of the policies that are attached to it, AWS's own among them."""
        with classified("ListAttachedRolePolicies"):
            pages = self._client.get_paginator("list_attached_role_policies").paginate(RoleName=name)
            policies = [each.get("PolicyArn", "") for page in pages for each in page["AttachedPolicies"]]
        for arn in policies:
            with classified("GetPolicy"):
                version = self._client.get_policy(PolicyArn=arn)["Policy"].get("DefaultVersionId", "")
            with classified("GetPolicyVersion"):
                told = self._client.get_policy_version(PolicyArn=arn, VersionId=version)
            yield _document(told["PolicyVersion"].get("Document"))


def trusted_by(document: Mapping[str, Any]) -> Iterator[str]:
    """The services that may assume the role, without those that a statement denies it whatever happens."""
    statements = [each for each in _as_list(document.get("Statement")) if isinstance(each, Mapping)]
    found = dict.fromkeys(service for each in statements for service in _services(each))
    if ANYBODY in found:
        found = found | {SERVICE: None}
    for service in [each for each in found if each != ANYBODY]:
        said = [_statement(each) for each in statements if {service, ANYBODY} & set(_services(each))]
        about = [_everywhere(each) for each in said if each is not None]
        if able(about, ASSUMING) is not Able.NO:
            yield service


def _services(statement: Mapping[str, Any]) -> list[str]:
    """The services that a statement of a trust policy is about; `*` is anybody, services among them."""
    principal = statement.get("Principal")
    if principal == ANYBODY:
        return [ANYBODY]
    return list(_texts(principal.get("Service"))) if isinstance(principal, Mapping) else []


def statements_of(document: Mapping[str, Any]) -> Iterator[Statement]:
    """The statements of a policy that allow or deny."""
    for each in _as_list(document.get("Statement")):
        told = _statement(each) if isinstance(each, Mapping) else None
        if told is not None:
            yield told


def _statement(told: Mapping[str, Any]) -> Statement | None:
    """A statement; None for what neither allows nor denies."""
    # No set: what is no text may be nothing that a set takes.
    if told.get("Effect") not in (ALLOW, DENY):
        return None
    lists = [_as_list(told.get(each)) for each in ("Action", "NotAction", "Resource", "NotResource")]
    actions, not_actions, resources, not_resources = (_texts(each) for each in lists)
    return Statement(
        allows=told["Effect"] == ALLOW,
        actions=actions,
        not_actions=not_actions,
        resources=resources,
        not_resources=not_resources,
        conditional=bool(told.get("Condition")),
        unclear=not all(isinstance(item, str) for each in lists for item in each),
    )


def _everywhere(statement: Statement) -> Statement:
    return replace(statement, resources=(ANYBODY,), not_resources=())


def _document(told: object) -> Mapping[str, Any]:
    """A policy's document, which botocore decodes."""
    return told if isinstance(told, Mapping) else {}


def _texts(told: object) -> tuple[str, ...]:
    """What is text of what should be text, or a list of it."""
    return tuple(each for each in _as_list(told) if isinstance(each, str))


def _as_list(told: Any) -> list[Any]:  # noqa: ANN401 - one item may stand for a list
    if isinstance(told, list):
        return told
    return [told] if told else []


def _classify(call: str, code: str, message: str, status: int = 0) -> EnforcementError:
    if code in {"NoSuchEntity", "NoSuchEntityException"}:
        return NotThere(f"{call}: {code}: {message}")
    return classify(call, code, message, status)
