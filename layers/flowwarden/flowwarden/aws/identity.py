"""The account and Region of the caller's credentials, for `flowwarden plan` before a deployment."""

from __future__ import annotations

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from flowwarden.aws.caller import reason
from flowwarden.errors import SettingsError


class Identity(Struct, frozen=True, kw_only=True):
    """The account of the credentials, and the Region."""

    account_id: str
    region: str
    partition: str
    """`aws`, `aws-cn`, `aws-us-gov` or another."""


def identity(region: str | None) -> Identity:
    """Get the identity from STS, which needs no permission.

    Args:
        region: the Region; None for that of the environment or the profile.

    Raises:
        SettingsError: there is no Region, the credentials are not valid, or STS does not respond.
    """
    try:
        client = boto3.client("sts", region_name=region)
        answer = client.get_caller_identity()
    except (ClientError, BotoCoreError, ValueError) as error:  # ValueError: the endpoint in the environment
        raise SettingsError(f"cannot ask AWS for the account: {reason(error)}") from error
    return Identity(
        account_id=answer["Account"],
        region=client.meta.region_name,
        partition=answer["Arn"].split(":")[1],
    )
