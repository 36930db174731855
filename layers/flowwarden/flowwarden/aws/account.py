"""The alias of the account, for the pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.aws.answers import Answer
from flowwarden.aws.caller import short_reason
from flowwarden.errors import NamesUnavailable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_iam import IAMClient

ACTIONS = ("iam:ListAccountAliases",)
"""The IAM actions that this file needs."""


class AccountAlias:
    """Asks IAM for the alias of the client's account."""

    def __init__(self, make: Callable[[], IAMClient]) -> None:
        """Create no client yet: most containers never send a notification."""
        self._client = cache(make)

    def read(self) -> str:
        """The alias; '' if the account has none. An account has one at most.

        Raises:
            NamesUnavailable: IAM throttled, refused or was not reached.
        """
        try:
            answer = Answer(self._client().list_account_aliases())
        except (ClientError, BotoCoreError) as error:
            raise NamesUnavailable(f"ListAccountAliases: {short_reason(error)}") from error
        return next(iter(answer.texts("AccountAliases")), "")
