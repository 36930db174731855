"""The state table of a deployed stack, for `flowwarden baseline`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from flowwarden.aws.clients import make_client
from flowwarden.aws.dynamodb.forgetting import DynamoDbForgetting
from flowwarden.aws.dynamodb.roles import DynamoDbRoles
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.errors import SettingsError
from flowwarden.monitor.baseline.known_roles import KnownRole, RoleStore
from flowwarden.state.ports import EvidenceStore


class Forgetting(Protocol):
    """Removes what was learned of roles."""

    def forget(self, role: KnownRole) -> int:
        """Remove what was learned of a role, which is then learned again; return the number of removed items.

        Raises StateUnavailable.
        """


class BaselinePorts(Struct, frozen=True, kw_only=True):
    """The ports of the command, and the account and Region of the stack."""

    account: str
    region: str
    roles: RoleStore
    evidence: EvidenceStore
    forgetting: Forgetting


def on_aws(environment: Mapping[str, str]) -> BaselinePorts:
    """The ports on AWS, from the environment of a deployed stack's enforcer.

    Raises:
        SettingsError: the environment names no table, or there is no such Region.
    """
    region, table = environment.get("AWS_REGION", ""), environment.get("STATE_TABLE", "")
    if not table:
        raise SettingsError("STATE_TABLE is not set; the template sets it on the function")
    client = make_client("dynamodb", region)
    return BaselinePorts(
        account=environment.get("ACCOUNT_ID", ""),
        region=region,
        roles=DynamoDbRoles(client, table),
        evidence=DynamoDbEvidence(client, table),
        forgetting=DynamoDbForgetting(client, table),
    )
