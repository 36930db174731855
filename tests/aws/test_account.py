"""The alias of the account: optional, and whatever IAM answers harms nothing."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, NoCredentialsError
from moto import mock_aws

from flowwarden.aws.account import AccountAlias
from flowwarden.errors import NamesUnavailable
from tests.aws.clients import session


class Iam:
    """IAM with one answer."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def list_account_aliases(self) -> Any:
        """Return it or raise it."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def alias(answer: Any) -> str:
    """What the adapter reads."""
    client: Any = Iam(answer)
    return AccountAlias(lambda: client).read()


def test_the_alias_is_read() -> None:
    """And an account without one has ''."""
    with mock_aws():
        iam = session().client("iam")
        one = AccountAlias(lambda: iam)
        assert one.read() == ""
        iam.create_account_alias(AccountAlias="shop-production")
        assert one.read() == "shop-production"


@pytest.mark.parametrize("odd", [{}, None, [], {"AccountAliases": None}, {"AccountAliases": "x"},
                                 {"AccountAliases": [1, {}]}])  # fmt: skip
def test_an_odd_answer_is_no_alias(odd: object) -> None:
    """No error either."""
    assert alias(odd) == ""


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "User: arn:…"}}, "x"), "AccessDenied"),
        (ClientError({}, "x"), "an error without a code"),
        (ConnectTimeoutError(endpoint_url="https://iam"), "no response in time"),
        (EndpointConnectionError(endpoint_url="https://iam"), "no connection"),
        (NoCredentialsError(), "NoCredentialsError"),
    ],
)
def test_a_failed_call_has_a_short_reason(error: Exception, why: str) -> None:
    """Without the names in AWS's message: it is shown on a page."""
    with pytest.raises(NamesUnavailable) as caught:
        alias(error)
    assert str(caught.value) == f"ListAccountAliases: {why}"


def test_no_client_is_created_before_the_first_call() -> None:
    """Creating one takes long, and most containers never notify."""

    def make() -> Any:
        raise AssertionError("created")

    AccountAlias(make)
