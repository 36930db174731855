"""A stack as the caller reads it, for `flowwarden doctor` and `uninstall`: names, and facts of resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.aws.cloudformation import stack_errors
from flowwarden.aws.doctor.reading import fact
from flowwarden.aws.doctor.stack import Described, Resource, StackReader
from flowwarden.doctor.checks.subscriptions import monitor_arn
from flowwarden.doctor.fact import Fact, Unread
from flowwarden.doctor.facts import Place, StackState
from flowwarden.enforcer.state.stack import Stack

type MakeClient = Callable[[Any, str | None], Any]
"""Creates the client of a service in a Region; None for that of the environment."""

OWN_GROUP: Final = "FlowLogGroup"
OUTPUTS: Final = {
    OWN_GROUP: "FlowLogGroupName",
    "PagesTopic": "PagesTopicArn",
    "OperationsTopic": "OperationsTopicArn",
    "StateTable": "StateTableName",
    "MonitorFunction": "MonitorFunctionName",
    "EnforcerFunction": "EnforcerFunctionName",
    "DispatcherFunction": "DispatcherFunctionName",
    "MonitorFailureQueue": "MonitorFailureQueueUrl",
    "EnforcerFailureQueue": "EnforcerFailureQueueUrl",
    "EnforcerEventQueue": "EnforcerEventQueueUrl",
}
"""The outputs with the names of resources: without permission to list the resources, these are known."""


class Installed(Struct, frozen=True, kw_only=True):
    """The stack, the names of its resources, and the clients to read them with."""

    place: Place
    state: StackState
    clients: Callable[[str], Any]
    """Creates the client of a service in the stack's Region."""
    names: Mapping[str, str]
    """Names, ARNs or URLs of resources by logical id."""
    kinds: Mapping[str, str] = {}
    """Their types; empty if the resources could not be listed."""
    formerly: Mapping[str, str] = {}
    """The names of all resources, those that are deleted among them."""
    arn: str = ""
    """The ARN of the stack, which names it also after its deletion."""

    def of_kind(self, kind: str) -> dict[str, str] | Unread:
        """The names of the resources of a type, by logical id."""
        if isinstance(self.state.listed, Unread):
            return self.state.listed
        return {each: self.names[each] for each, has in self.kinds.items() if has == kind}

    def named[T](self, logical_id: str, read: Callable[[str], Fact[T]]) -> Fact[T]:
        """A fact about a resource; None if the stack has no such resource, unknown if that is unknown."""
        name = self.names.get(logical_id)
        if name:
            return read(name)
        return self.state.listed if isinstance(self.state.listed, Unread) else None

    def each[T](self, kind: str, call: str, read: Callable[[str], T]) -> dict[str, Fact[T]]:
        """A fact about each resource of a type.

        Args:
            kind: the type.
            call: the operation that reads a resource, for the reason if it cannot be read.
            read: reads one, by its name.
        """
        names = self.of_kind(kind)
        if isinstance(names, Unread):
            return {f"every {kind.rpartition(':')[2].lower()}": names}
        return {logical_id: fact(call, partial(read, name)) for logical_id, name in names.items()}


def installed(stack: str, region: str | None, now: int, clients: MakeClient) -> Installed:
    """Find the stack.

    Args:
        stack: the stack's name.
        region: its Region; None for that of the environment or the profile.
        now: Unix seconds.
        clients: creates clients.

    Raises:
        SettingsError: the stack cannot be read.
    """
    with stack_errors(stack, region):
        reader = StackReader(clients("cloudformation", region), stack)
        described = reader.state()
    listed = fact("ListStackResources", reader.resources)
    place, state = _place(described, stack, now), described.state
    resources: Sequence[Resource] = listed if isinstance(listed, list) else ()
    known = {each.logical_id: each.name for each in resources if not each.deleted}
    outputs = {name: described.outputs.get(each, "") for name, each in OUTPUTS.items()}
    return Installed(
        place=place,
        state=replace(state, listed=listed) if isinstance(listed, Unread) else state,
        clients=lambda service: clients(service, place.region),
        names=known if isinstance(listed, list) else outputs,
        kinds={each.logical_id: each.kind for each in resources if not each.deleted},
        formerly={each.logical_id: each.name for each in resources},
        arn=described.arn,
    )


def named_stack(found: Installed, names: Mapping[str, str], suffixes: tuple[str, ...]) -> Stack:
    """The stack by the names of its resources, for finding what belongs to it.

    Args:
        found: the stack.
        names: those of its resources: `Installed.names` or `formerly`.
        suffixes: those of its policy, which name further log groups.
    """
    place = found.place
    return Stack(
        account_id=place.account,
        region=place.region,
        stack_name=place.stack,
        log_group_name=names.get(OWN_GROUP, ""),
        delivery_role_arn=f"arn:{place.partition}:iam::{place.account}:role/{place.stack}",
        log_format=found.state.parameters.get("LogFormat", ""),
        monitor_arn=monitor_arn(place, names),
        suffixes=suffixes,
    )


def _place(described: Described, stack: str, now: int) -> Place:
    """The account and Region, from the stack's ARN."""
    _, partition, _, region, account, *_ = [*described.arn.split(":"), "", "", "", "", ""]
    return Place(stack=stack, region=region, account=account, partition=partition, now=now)
