"""The delivery role, as IAM on moto tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from flowwarden.aws.iam import Roles
from flowwarden.compliance.upkeep import NEEDED, SERVICE, DeliveryRole
from tests.aws.clients import client

ARN = "arn:aws:iam::123456789012:role/delivery"


def document(**statement: object) -> str:
    """A policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **statement}})


def write(iam: Any, policy: str) -> None:
    """Give the role its own policy."""
    iam.put_role_policy(RoleName="delivery", PolicyName="write", PolicyDocument=policy)


@pytest.fixture
def roles() -> Iterator[Roles]:
    """An account on moto with the role."""
    with mock_aws():
        iam = client("iam")
        trust = document(Principal={"Service": SERVICE}, Action="sts:AssumeRole")
        iam.create_role(RoleName="delivery", AssumeRolePolicyDocument=trust)
        write(iam, document(Action=list(NEEDED), Resource="*"))
        yield Roles(iam)


def test_the_role_is_read_with_its_trust_and_its_own_policies(roles: Roles) -> None:
    """One item stands for a list."""
    assert roles.describe(ARN) == DeliveryRole(trusted=(SERVICE,), allowed=NEEDED)


def test_denials_allow_nothing_and_attached_policies_are_named(roles: Roles) -> None:
    """What a managed policy holds is not looked at."""
    iam = client("iam")
    write(iam, document(Effect="Deny", Action="*", Resource="*"))
    made = iam.create_policy(PolicyName="more", PolicyDocument=document(Action="logs:*", Resource="*"))
    iam.attach_role_policy(RoleName="delivery", PolicyArn=made["Policy"]["Arn"])
    assert roles.describe(ARN) == DeliveryRole(trusted=(SERVICE,), attached=(made["Policy"]["Arn"],))


def test_a_role_that_is_gone_is_none(roles: Roles) -> None:
    """That is an answer, no error."""
    assert roles.describe("arn:aws:iam::123456789012:role/gone") is None
