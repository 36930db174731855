"""The delivery role, read from IAM on moto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from flowwarden.aws.iam import Roles, statements_of, trusted_by
from flowwarden.enforcer.decide.delivery_role import NEEDED, SERVICE, DeliveryRole
from flowwarden.enforcer.decide.iam_policy import AccessRequest, Permitted, Statement, evaluate
from flowwarden.errors import CallRefused
from tests.aws.clients import client, shared

ARN = "arn:aws:iam::123456789012:role/delivery"


def document(**statement: object) -> str:
    """A policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **statement}})


def write(iam: Any, policy: str) -> None:
    """Put an inline policy on the role."""
    iam.put_role_policy(RoleName="delivery", PolicyName="write", PolicyDocument=policy)


@pytest.fixture(scope="module")
def account() -> Iterator[Any]:
    """An account on moto, shared by all tests: reading AWS's own policies takes most of a test's time."""
    with mock_aws():
        yield shared("iam")


@pytest.fixture
def roles(account: Any) -> Iterator[Roles]:
    """The account with the role, and with no other policy."""
    trust = document(Principal={"Service": SERVICE}, Action="sts:AssumeRole")
    account.create_role(RoleName="delivery", AssumeRolePolicyDocument=trust)
    write(account, document(Action=list(NEEDED), Resource="*"))
    yield Roles(account)
    for name in account.list_role_policies(RoleName="delivery")["PolicyNames"]:
        account.delete_role_policy(RoleName="delivery", PolicyName=name)
    for each in account.list_policies(Scope="Local")["Policies"]:
        account.detach_role_policy(RoleName="delivery", PolicyArn=each["Arn"])
        account.delete_policy(PolicyArn=each["Arn"])
    account.delete_role(RoleName="delivery")


def attach(iam: Any, policy: str, name: str = "more") -> str:
    """Attach a policy to the role."""
    arn: str = iam.create_policy(PolicyName=name, PolicyDocument=policy)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="delivery", PolicyArn=arn)
    return arn


def trust(*statements: dict[str, Any]) -> tuple[str, ...]:
    """The services that a role with this trust policy trusts."""
    iam = shared("iam")
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.update_assume_role_policy(RoleName="delivery", PolicyDocument=policy)
    role = Roles(iam).describe(ARN)
    assert role is not None
    return role.trusted


OWN = Statement(allows=True, actions=NEEDED, resources=("*",))


def test_the_role_is_read_with_its_trust_and_inline_policies(roles: Roles) -> None:
    """A single item counts as a list."""
    assert roles.describe(ARN) == DeliveryRole(trusted=(SERVICE,), statements=(OWN,))


def test_all_parts_of_a_statement_are_read(roles: Roles) -> None:
    """Including its effect, and whether it has a condition."""
    iam = shared("iam")
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    write(
        iam, document(Effect="Deny", NotAction="s3:*", NotResource=["arn:aws:s3:::one"], Condition=condition)
    )
    assert roles.describe(ARN) == DeliveryRole(
        trusted=(SERVICE,),
        statements=(
            Statement(
                allows=False, not_actions=("s3:*",), not_resources=("arn:aws:s3:::one",), conditional=True
            ),
        ),
    )


def test_attached_policies_are_read_in_their_default_version(roles: Roles) -> None:
    """Other versions have no effect."""
    iam = shared("iam")
    arn = attach(iam, document(Action="s3:*", Resource="*"))
    iam.create_policy_version(
        PolicyArn=arn,
        PolicyDocument=document(Effect="Deny", Action="logs:*", Resource="*"),
        SetAsDefault=True,
    )
    role = roles.describe(ARN)
    assert role is not None
    assert role.statements == (OWN, Statement(allows=False, actions=("logs:*",), resources=("*",)))


@pytest.mark.usefixtures("roles")
def test_an_unreadable_policy_is_listed_and_the_others_are_read() -> None:
    """An unreadable policy must not count as missing."""
    iam = client("iam")
    attach(iam, document(Action="logs:*", Resource="*"))
    refuse(iam, "GetPolicyVersion", "AccessDenied")
    role = Roles(iam).describe(ARN)
    assert role is not None
    assert (role.trusted, role.statements) == ((SERVICE,), (OWN,))
    (unread,) = role.unread
    assert "GetPolicyVersion: AccessDenied" in unread


def refuse(iam: Any, call: str, code: str) -> None:
    """Make every call of this operation fail from now on."""

    def refused(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, call)

    iam.meta.events.register(f"before-call.iam.{call}", refused)


@pytest.mark.usefixtures("roles")
@pytest.mark.parametrize("call", ["GetRolePolicy", "GetPolicy", "GetPolicyVersion"])
def test_one_policy_that_cannot_be_read_does_not_hide_those_after_it(call: str) -> None:
    """It is named, unless it is gone meanwhile. The policies that can be read come after it."""
    iam = shared("iam")
    bad = attach(iam, document(Action="logs:*", Resource="*"), "a-bad")
    attach(iam, document(Action="s3:*", Resource="*"), "b-good")
    iam.put_role_policy(
        RoleName="delivery", PolicyName="a-bad", PolicyDocument=document(Action="logs:*", Resource="*")
    )
    for code in ("AccessDenied", "ServiceFailure", "InternalFailure", "NoSuchEntity"):
        role = Roles(refusing_the_bad_one(call, code)).describe(ARN)
        assert role is not None
        actions = [each.actions for each in role.statements]
        assert OWN in role.statements
        assert ("s3:*",) in actions
        assert actions.count(("logs:*",)) == 1
        name = "a-bad: " if call == "GetRolePolicy" else f"{bad}: "
        assert [each.startswith(name) for each in role.unread] == [True] * (code != "NoSuchEntity"), code


def refusing_the_bad_one(call: str, code: str) -> Any:
    """A client whose call fails if it is about the policy `a-bad`."""

    def refused(params: dict[str, Any], **_: object) -> None:
        if "a-bad" in str(params["body"]):
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, call)

    iam = client("iam")
    iam.meta.events.register(f"before-call.iam.{call}", refused)
    return iam


@pytest.mark.usefixtures("roles")
def test_a_role_that_is_gone_while_it_is_read_is_none() -> None:
    """IAM answers the second call that there is no such role."""
    iam = client("iam")
    refuse(iam, "ListRolePolicies", "NoSuchEntity")
    assert Roles(iam).describe(ARN) is None


def test_an_unreadable_role_is_an_error_and_not_missing(roles: Roles) -> None:
    """Its state is unknown."""
    iam = client("iam")
    refuse(iam, "GetRole", "AccessDenied")
    with pytest.raises(CallRefused, match="GetRole: AccessDenied"):
        Roles(iam).describe(ARN)
    assert roles.describe(ARN) is not None


@pytest.mark.parametrize(
    ("statements", "trusted"),
    [
        ([{}], (SERVICE,)),
        ([{"Principal": {"Service": ["lambda.amazonaws.com", SERVICE]}}], ("lambda.amazonaws.com", SERVICE)),
        ([{"Principal": "*"}], (SERVICE,)),
        ([{"Action": "sts:TagSession"}], ()),
        ([{"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}], ()),
        ([{}, {"Effect": "Deny"}], ()),
        ([{}, {"Effect": "Deny", "Principal": "*"}], ()),
        ([{"Principal": "*"}, {"Effect": "Deny"}], ()),
        ([{}, {"Effect": "Deny", "Principal": {"Service": "lambda.amazonaws.com"}}], (SERVICE,)),
        ([{}, {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}], (SERVICE,)),
    ],
)
@pytest.mark.usefixtures("roles")
def test_a_trusted_service_that_is_not_denied_may_assume_the_role(
    statements: list[dict[str, Any]], trusted: tuple[str, ...]
) -> None:
    """The effect of a condition is unknown."""
    plain = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    assert trust(*(plain | each for each in statements)) == trusted


def test_a_deleted_role_is_none(roles: Roles) -> None:
    """This is a valid result, not an error."""
    assert roles.describe("arn:aws:iam::123456789012:role/gone") is None


@pytest.mark.parametrize("odd", [{"a": 1}, [["logs:*"]], [None, "logs:*"], 7])
@pytest.mark.parametrize("part", ["Action", "NotAction", "Resource", "NotResource"])
def test_a_statement_with_a_value_that_is_not_text_is_unclear(part: str, odd: object) -> None:
    """IAM accepts none; if it returns one, the sweep must still not fail."""
    (statement,) = statements_of(
        {"Statement": {"Effect": "Deny", "Action": "logs:*", "Resource": "*"} | {part: odd}}
    )
    assert statement.unclear
    assert (
        evaluate([OWN, statement], AccessRequest(action="logs:PutLogEvents", resources=("arn:one",)))
        is Permitted.UNKNOWN
    )


@pytest.mark.parametrize("odd", [[], {}, [["Deny"]], None])
def test_an_effect_or_service_that_is_not_text_is_ignored(odd: object) -> None:
    """As if it were missing."""
    assert list(statements_of({"Statement": {"Effect": odd, "Action": "logs:*"}})) == []
    assert list(trusted_by({"Statement": {"Effect": "Allow", "Principal": {"Service": [odd]}}})) == []
