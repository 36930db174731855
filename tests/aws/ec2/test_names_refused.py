"""Each permission of the lookup of names is taken away: the page goes out, and says what is missing."""

from __future__ import annotations

from typing import Any, Final

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ReadTimeoutError

from flowwarden.aws import account
from flowwarden.aws.account import AccountAlias
from flowwarden.aws.ec2 import interfaces
from flowwarden.aws.ec2.interfaces import DescribedInterfaces
from flowwarden.aws.ec2.names import DescribedNames
from flowwarden.notify.notification import Notification
from tests.aws.test_hostile_answers import Answering
from tests.monitor.render.rows import row
from tests.monitor.test_names_on_pages import Account, without_names

ACTIONS: Final = (*interfaces.ACTIONS, *account.ACTIONS)
OPTIONAL: Final = "iam:ListAccountAliases"


def tags(**given: str) -> list[dict[str, str]]:
    """Tags in EC2's notation."""
    return [{"Key": key, "Value": value} for key, value in given.items()]


CARD: Final = {
    "NetworkInterfaceId": "eni-db", "VpcId": "vpc-1", "SubnetId": "subnet-2",
    "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.2.30"}], "Attachment": {"InstanceId": "i-db"},
}  # fmt: skip
ANSWERS: Final[dict[str, Any]] = {
    "describe_network_interfaces": {"NetworkInterfaces": [CARD]},
    "describe_instances": {
        "Reservations": [{"Instances": [{"InstanceId": "i-db", "Tags": tags(Name="orders-db")}]}]
    },
    "describe_vpcs": {"Vpcs": [{"VpcId": "vpc-1", "Tags": tags(Name="shop")}]},
    "describe_subnets": {"Subnets": [{"SubnetId": "subnet-1", "Tags": tags(Name="app-a")}]},
    "list_account_aliases": {"AccountAliases": ["shop-production"]},
}
DENIED: Final = ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "User: arn:…"}}, "x")
THROTTLED: Final = ClientError({"Error": {"Code": "RequestLimitExceeded", "Message": "Slow down"}}, "x")
HANGING: Final = ReadTimeoutError(endpoint_url="https://ec2.eu-west-1.amazonaws.com")
ERRORS: Final = pytest.mark.parametrize(
    ("error", "why"),
    [
        (DENIED, "UnauthorizedOperation"), (THROTTLED, "RequestLimitExceeded"),
        (HANGING, "no response in time"),
    ],
    ids=["denied", "throttled", "hanging"],
)  # fmt: skip


class Failing(Answering):
    """EC2 and IAM that answer some calls with an error."""

    def __init__(self, error: Exception | None, *actions: str) -> None:
        super().__init__(ANSWERS)
        self._error = error
        self._failing = {xform_name(each.partition(":")[2]) for each in actions}

    def get_paginator(self, operation: str) -> Any:
        """The answer or the error."""
        if self._error is not None and operation in self._failing:
            raise self._error
        return super().get_paginator(operation)

    def list_account_aliases(self) -> Any:
        """The same for IAM."""
        if self._error is not None and "list_account_aliases" in self._failing:
            raise self._error
        return ANSWERS["list_account_aliases"]


def page(error: Exception | None = None, *actions: str) -> Notification:
    """The page about a blocked connection, if AWS answers these actions with an error."""
    client: Any = Failing(error, *actions)
    names: Any = DescribedNames(DescribedInterfaces(lambda: client), AccountAlias(lambda: client))
    return Account(names=names).page()


def test_with_all_permissions_the_page_has_all_names() -> None:
    """The other tests take them away."""
    sent = page()
    assert row(sent, "To") == "10.0.2.30 orders-db (internal)"
    assert row(sent, "Where").startswith("111122223333 (shop-production), ")
    assert "subnet-1 (app-a)" in sent.text
    assert "Names unavailable" not in sent.text


@pytest.mark.parametrize("action", ACTIONS)
@ERRORS
def test_a_call_that_fails_leaves_the_rest_of_the_page(action: str, error: Exception, why: str) -> None:
    """The page says which call failed, except for the optional one."""
    sent, call = page(error, action), action.partition(":")[2]
    assert sent.subject == page().subject
    assert (f"Names unavailable: {call}: {why}" in sent.text) == (action != OPTIONAL)
    assert ("shop-production" in sent.text) == (action != OPTIONAL)
    assert row(sent, "Service") == row(page(), "Service")


@ERRORS
def test_without_any_permission_the_page_goes_out(error: Exception, why: str) -> None:
    """As it would be if nothing had a name, in the same words."""
    sent = page(error, *ACTIONS)
    assert f"Names unavailable: DescribeNetworkInterfaces: {why}" in sent.text
    assert row(sent, "To") == "10.0.2.30 (internal)"
    assert without_names(sent).count("\n") < page().text.count("\n")
