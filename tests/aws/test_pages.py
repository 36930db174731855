"""An answer that never ends is an error, whichever port asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count, cycle
from typing import Any, Final

import pytest
from botocore.exceptions import PaginationError

from flowwarden.aws.dynamodb.registry import DynamoDbRegistry
from flowwarden.aws.ec2.flow_logs import Ec2FlowLogs
from flowwarden.aws.ec2.interfaces import DescribedInterfaces
from flowwarden.aws.ec2.log_formats import DescribedFormats
from flowwarden.aws.iam import Roles
from flowwarden.aws.logs import LogGroups
from flowwarden.aws.pages import FEW, MOST, bounded
from flowwarden.errors import CallFailed, InterfacesUnavailable, LogFormatsUnavailable, StateUnavailable

LISTS: Final = (
    "Vpcs", "FlowLogs", "NetworkInterfaces", "Reservations", "Subnets", "logGroups", "Items", "PolicyNames",
    "AttachedPolicies",
)  # fmt: skip
EMPTY: Final[Mapping[str, Any]] = {name: [] for name in LISTS}
"""A page of any listing, without an item."""
TOKENS: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    "two that take turns": lambda: cycle(["a", "b"]),
    "ever new ones": lambda: map(str, count()),
}


class Endless:
    """A client whose listings never end."""

    def __init__(self, kind: str, name: str) -> None:
        self._kind, self._name = kind, name
        self.pages = 0

    def get_paginator(self, _operation: str) -> Endless:
        """The paginator of any operation."""
        return self

    def paginate(self, **_: Any) -> Iterator[Any]:
        """Pages without an end."""
        for token in TOKENS[self._kind]():
            self.pages += 1
            yield {**EMPTY, self._name: token}

    def get_role(self, **_: Any) -> Any:
        """A role."""
        return {"Role": {"RoleName": "delivery", "AssumeRolePolicyDocument": {}}}


PORTS: Final[Mapping[str, tuple[str, type[Exception], Callable[[Any], object]]]] = {
    "interfaces": (
        "NextToken",
        InterfacesUnavailable,
        lambda client: DescribedInterfaces(lambda: client).describe(["eni-0a"]),
    ),
    "log formats": (
        "NextToken", LogFormatsUnavailable, lambda client: DescribedFormats(lambda: client).written_into("g"),
    ),
    "VPCs": ("NextToken", CallFailed, lambda client: list(Ec2FlowLogs(client).vpcs(None))),
    "flow logs": ("NextToken", CallFailed, lambda client: list(Ec2FlowLogs(client).flow_logs(["vpc-1"]))),
    "running instances": ("NextToken", CallFailed, lambda client: list(Ec2FlowLogs(client).running(None))),
    "log groups": ("nextToken", CallFailed, lambda client: list(LogGroups(client).groups(["g"]))),
    "role": ("Marker", CallFailed, lambda client: Roles(client).describe("role/delivery")),
    "registry": ("LastEvaluatedKey", StateUnavailable, lambda client: DynamoDbRegistry(client, "t").load()),
}  # fmt: skip


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize("port", PORTS)
def test_a_listing_without_an_end_is_an_error_of_its_port(port: str, kind: str) -> None:
    """After a bounded number of pages."""
    name, error, call = PORTS[port]
    client = Endless(kind, name)
    with pytest.raises(error):
        call(client)
    assert client.pages <= (3 if kind == "two that take turns" else MOST)


def test_all_pages_of_an_answer_that_ends_are_read() -> None:
    """As many as allowed; one more is too many."""
    pages = [{"NextToken": str(number)} for number in range(FEW - 1)]
    assert list(bounded([*pages, {}], FEW)) == [*pages, {}]
    with pytest.raises(PaginationError):
        list(bounded([*pages, {"NextToken": "x"}, {}], FEW))
