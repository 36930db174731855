"""Reads the delivery role from IAM: implements `ports.RoleService`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from flowwarden.aws.answers import Answer, listed
from flowwarden.aws.errors import Classify, classified, classify
from flowwarden.aws.pages import FEW, bounded
from flowwarden.enforcer.decide.delivery_role import SERVICE, DeliveryRole
from flowwarden.enforcer.decide.iam_policy import AccessRequest, Permitted, Statement, evaluate
from flowwarden.errors import CallFailed, CallRefused, CallThrottled, EnforcementError, NotFound

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
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
WILDCARD: Final = "*"
ASSUMING: Final = AccessRequest(action="sts:AssumeRole", resources=(WILDCARD,))
"""The request to judge a trust policy by. A trust policy has no `Resource`: it applies to its role."""


class Roles:
    """Roles of the client's account."""

    def __init__(self, client: IAMClient, by: Classify = classify) -> None:
        """Bind the calls to a client; `by` chooses the error for a code other than that of a missing role."""
        self._client = client
        self._by = by

    def describe(self, role_arn: str) -> DeliveryRole | None:
        """See the port. Costs three calls, plus one for each inline policy and two for each attached policy.

        Policies that IAM refuses to return are listed in `unread`; the others are still read.
        """
        name = role_arn.rpartition("/")[2]
        try:
            with classified("GetRole", self._classify):
                answer = Answer(self._client.get_role(RoleName=name))
            if "Role" not in answer:
                raise CallFailed("GetRole: the response has no Role")
            statements, unread = self._statements(name)
        except NotFound:
            return None
        role = answer.inner("Role")
        return DeliveryRole(
            trusted=tuple(trusted_by(_document(role.value("AssumeRolePolicyDocument")))),
            statements=tuple(statements),
            unread=tuple(unread),
            boundary=role.inner("PermissionsBoundary").text("PermissionsBoundaryArn"),
        )

    def _statements(self, name: str) -> tuple[list[Statement], list[str]]:
        """The statements of the role's policies, and why some policies could not be read."""
        statements: list[Statement] = []
        unread: list[str] = []
        for find, read in ((self._own, self._read_own), (self._attached, self._read_attached)):
            try:
                policies = list(find(name))
            except CallRefused as error:
                unread.append(str(error))
                continue
            for policy in policies:
                try:
                    statements += statements_of(read(name, policy))
                except NotFound:
                    # The policy was deleted or detached after it was listed.
                    continue
                except CallThrottled:
                    raise
                except EnforcementError as error:
                    unread.append(f"{policy}: {error}")
        return statements, unread

    def _own(self, name: str) -> Iterator[str]:
        """The names of the role's inline policies."""
        with classified("ListRolePolicies", self._classify):
            pages = self._client.get_paginator("list_role_policies").paginate(RoleName=name)
            for page in bounded(pages, FEW):
                yield from listed("ListRolePolicies", page, "PolicyNames")

    def _read_own(self, name: str, policy: str) -> Mapping[str, Any]:
        with classified("GetRolePolicy", self._classify):
            answer = Answer(self._client.get_role_policy(RoleName=name, PolicyName=policy))
        return _policy("GetRolePolicy", answer.value("PolicyDocument"))

    def _attached(self, name: str) -> Iterator[str]:
        """The ARNs of the role's attached policies, including AWS managed policies."""
        with classified("ListAttachedRolePolicies", self._classify):
            pages = self._client.get_paginator("list_attached_role_policies").paginate(RoleName=name)
            for page in bounded(pages, FEW):
                policies = listed("ListAttachedRolePolicies", page, "AttachedPolicies")
                yield from (Answer(each).text("PolicyArn") for each in policies)

    def _read_attached(self, _name: str, arn: str) -> Mapping[str, Any]:
        with classified("GetPolicy", self._classify):
            policy = Answer(self._client.get_policy(PolicyArn=arn)).inner("Policy")
        with classified("GetPolicyVersion", self._classify):
            version = policy.text("DefaultVersionId")
            answer = Answer(self._client.get_policy_version(PolicyArn=arn, VersionId=version))
        return _policy("GetPolicyVersion", answer.inner("PolicyVersion").value("Document"))

    def _classify(self, call: str, code: str, message: str, status: int = 0) -> EnforcementError:
        if code in {"NoSuchEntity", "NoSuchEntityException"}:
            return NotFound(f"{call}: {code}: {message}")
        return self._by(call, code, message, status)


def trusted_by(document: Mapping[str, Any]) -> Iterator[str]:
    """The service principals that may assume the role, `*` for all.

    A service that a statement denies under no condition is left out.

    Args:
        document: the trust policy.
    """
    statements = [each for each in _as_list(document.get("Statement")) if isinstance(each, Mapping)]
    found = dict.fromkeys(service for each in statements for service in _services(each))
    if WILDCARD in found:
        found = found | {SERVICE: None}
    for service in [each for each in found if each != WILDCARD]:
        parsed = [_statement(each) for each in statements if {service, WILDCARD} & set(_services(each))]
        relevant = [_everywhere(each) for each in parsed if each is not None]
        if evaluate(relevant, ASSUMING) is not Permitted.NO:
            yield service


def _services(statement: Mapping[str, Any]) -> list[str]:
    """The services that a statement of a trust policy names; `*` is every principal, including services."""
    principal = statement.get("Principal")
    if principal == WILDCARD:
        return [WILDCARD]
    return list(_texts(principal.get("Service"))) if isinstance(principal, Mapping) else []


def statements_of(document: Mapping[str, Any]) -> Iterator[Statement]:
    """The statements of a policy whose `Effect` is `Allow` or `Deny`; others are ignored."""
    for each in _as_list(document.get("Statement")):
        statement = _statement(each) if isinstance(each, Mapping) else None
        if statement is not None:
            yield statement


def _statement(raw: Mapping[str, Any]) -> Statement | None:
    """A statement; None if it neither allows nor denies."""
    # A tuple, not a set: `Effect` is untrusted and may be unhashable.
    if raw.get("Effect") not in (ALLOW, DENY):
        return None
    lists = [_as_list(raw.get(each)) for each in ("Action", "NotAction", "Resource", "NotResource")]
    actions, not_actions, resources, not_resources = (_texts(each) for each in lists)
    return Statement(
        allows=raw["Effect"] == ALLOW,
        actions=actions,
        not_actions=not_actions,
        resources=resources,
        not_resources=not_resources,
        conditional=bool(raw.get("Condition")),
        unclear=not all(isinstance(item, str) for each in lists for item in each),
    )


def _everywhere(statement: Statement) -> Statement:
    return replace(statement, resources=(WILDCARD,), not_resources=())


def _policy(call: str, raw: object) -> Mapping[str, Any]:
    """A policy's document. Raises CallRefused if there is none: that must not look like an empty policy."""
    if isinstance(raw, Mapping):
        return raw
    raise CallRefused(f"{call}: the response has no policy document that can be read")


def _document(raw: object) -> Mapping[str, Any]:
    """The trust policy, which botocore has decoded; empty if it is not a JSON object."""
    return raw if isinstance(raw, Mapping) else {}


def _texts(raw: object) -> tuple[str, ...]:
    """The texts in a value that should be a text or a list of texts."""
    return tuple(each for each in _as_list(raw) if isinstance(each, str))


def _as_list(raw: Any) -> list[Any]:  # noqa: ANN401 - IAM accepts a single item instead of a list
    if isinstance(raw, list):
        return raw
    return [raw] if raw else []
