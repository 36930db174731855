"""Whose account and Region a command uses, for `flowwarden plan` before a deployment."""

from __future__ import annotations

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from flowwarden.errors import SettingsError


class Identity(Struct, frozen=True, kw_only=True):
    """The account of the credentials, and the Region."""

    account_id: str
    region: str
    partition: str
    """`aws`, `aws-cn`, `aws-us-gov` or another."""


def identity(region: str | None) -> Identity:
    """Ask STS; the call needs no permission. `region` None stands for that of the profile.

    Raises:
        SettingsError: no Region, no valid credentials, or no answer.
    """
    try:
        client = boto3.client("sts", region_name=region)
        answer = client.get_caller_identity()
    except (ClientError, BotoCoreError, ValueError) as error:  # ValueError: the endpoint in the environment
        raise SettingsError(f"cannot ask AWS for the account: {error}") from error
    return Identity(
        account_id=answer["Account"],
        region=client.meta.region_name,
        partition=answer["Arn"].split(":")[1],
    )
