"""Reads security groups, network ACLs and prefix lists from EC2: implements `RuleDirectory`.

Read-only. Each request is enclosed by `allow`, pages included, so a listing that does not end is stopped by
the number of pages, by the seconds, or by the requests of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from msgspec.structs import replace

from flowwarden.aws.answers import Answer, Malformed
from flowwarden.aws.ec2 import describe_rules
from flowwarden.aws.ec2.describe_interface import interface
from flowwarden.aws.ec2.describe_rules import Listed
from flowwarden.aws.errors import classified
from flowwarden.errors import CallFailed, CallThrottled, EnforcementError, RulesUnavailable
from flowwarden.monitor.rules.ports import Allow, Attached
from flowwarden.network.rules.model import Network, NetworkAcl, SecurityGroup
from flowwarden.printable import one_line
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_ec2 import EC2Client

ACTIONS = (
    "ec2:DescribeNetworkInterfaces",  # the security groups and subnets of both ends
    "ec2:DescribeSecurityGroupRules",  # the rules of these groups
    "ec2:DescribeSecurityGroups",  # whether a group without rules exists, or belongs to another account
    "ec2:DescribeNetworkAcls",  # the network ACLs of these subnets
    "ec2:GetManagedPrefixListEntries",  # the networks of the prefix lists that rules refer to
)
"""The IAM actions that this file needs."""

RULES_ATTEMPTS, RULES_SECONDS = 1, 2.0
"""For the client of this file: a page waits for it, and goes out without it."""
_PER_PAGE: Final = {"GetManagedPrefixListEntries": 100}
"""Items on a page where EC2's maximum is not 1,000."""
LONGEST_CODE: Final = 64
"""Characters of an error code that a page shows."""
MOST_PAGES: Final = 10
"""Pages of a listing. A prefix list has at most 1,000 entries, 100 on a page."""


class DescribedRules:
    """Calls EC2 in the client's account and region."""

    def __init__(self, make: Callable[[], EC2Client], unreadable: Unreadable | None = None) -> None:
        """Create no client yet.

        Args:
            make: creates the client at the first call, because EC2's client takes long to create.
            unreadable: where parts of descriptions that cannot be read are noted.
        """
        self._client = cache(make)
        self._unreadable = unreadable or Unreadable()

    def interface(self, interface_id: str, allow: Allow) -> Attached | None:
        """See the port."""
        found = self._interfaces("network-interface-id", interface_id, {}, allow)
        return next((each for each in found if each.interface.interface_id == interface_id), None)

    def interface_at(self, vpc_id: str, address: str, allow: Allow) -> Attached | None:
        """See the port. Several interfaces with the address are none: it moved just now."""
        version = ip_address(address).version
        name = "addresses.private-ip-address" if version == 4 else "ipv6-addresses.ipv6-address"  # noqa: PLR2004
        found = [
            each
            for each in self._interfaces(name, address, {"vpc-id": vpc_id}, allow)
            if each.interface.vpc_id == vpc_id and address in each.interface.addresses
        ]
        return found[0] if len(found) == 1 else None

    def _interfaces(self, name: str, value: str, more: Mapping[str, str], allow: Allow) -> Iterator[Attached]:
        wanted = {"Filters": _filters({name: [value]} | {each: [text] for each, text in more.items()})}
        for described in self._items("DescribeNetworkInterfaces", "NetworkInterfaces", wanted, allow):
            with suppress(Malformed):  # without an id
                yield _attached(described)

    def groups(self, names: Mapping[str, str], vpc_id: str, allow: Allow) -> Mapping[str, SecurityGroup]:
        """See the port. A group without any rule is described once more, since EC2 may hide its rules."""
        found = {each: SecurityGroup(group_id=each, name=name) for each, name in names.items()}
        wanted = {"Filters": _filters({"group-id": list(names)})}
        for described in self._items("DescribeSecurityGroupRules", "SecurityGroupRules", wanted, allow):
            listed = describe_rules.listed_rule(described, vpc_id)
            for each in [listed.group_id] if listed.group_id else list(found):
                if each in found:
                    found[each] = _with(found[each], listed)
        empty = [name for name, each in found.items() if not (each.inbound or each.outbound)]
        hidden = set(empty) - self._existing(empty, allow) if empty else set()
        return {name: each for name, each in found.items() if name not in hidden}

    def _existing(self, group_ids: Sequence[str], allow: Allow) -> set[str]:
        wanted = {"Filters": _filters({"group-id": group_ids})}
        found = self._items("DescribeSecurityGroups", "SecurityGroups", wanted, allow)
        return {each.text("GroupId") for each in found}

    def acls(self, subnets: Sequence[str], allow: Allow) -> Mapping[str, NetworkAcl]:
        """See the port."""
        wanted = {"Filters": _filters({"association.subnet-id": subnets})}
        found: dict[str, NetworkAcl] = {}
        for described in self._items("DescribeNetworkAcls", "NetworkAcls", wanted, allow):
            at = {each.text("SubnetId") for each in described.each("Associations")}
            with suppress(Malformed):  # without an id
                acl = describe_rules.acl(described)
                found |= {each: acl for each in subnets if each in at}
        return found

    def prefix_list(self, prefix_list_id: str, allow: Allow) -> tuple[Network, ...]:
        """See the port."""
        wanted = {"PrefixListId": prefix_list_id}
        found = self._items("GetManagedPrefixListEntries", "Entries", wanted, allow)
        networks = describe_rules.networks(found)
        if networks is None:
            raise RulesUnavailable(f"EC2's entries of {prefix_list_id} cannot be read", lasts=False)
        return networks

    def _items(self, call: str, member: str, parameters: Mapping[str, Any], allow: Allow) -> Iterator[Answer]:
        """The items of all pages, also those that are no structure. Raises RulesUnavailable."""
        token = ""
        for _ in range(MOST_PAGES):
            page = self._page(call, {**parameters, **({"NextToken": token} if token else {})}, allow)
            items = page.value(member)
            if not isinstance(items, list):
                raise RulesUnavailable(f"EC2's answer to {call} cannot be read", lasts=False)
            for item in map(Answer, items):
                yield item
                self._note(call, item)
            token = page.text("NextToken")
            if not token:
                return
        raise RulesUnavailable(f"EC2's answer to {call} does not end", lasts=False)

    def _page(self, call: str, parameters: Mapping[str, Any], allow: Allow) -> Answer:
        with allow(), _answered(call):  # also the first creation of the client, which takes long
            client = self._client()
            asks: Mapping[str, Callable[..., object]] = {
                "DescribeNetworkInterfaces": client.describe_network_interfaces,
                "DescribeSecurityGroupRules": client.describe_security_group_rules,
                "DescribeSecurityGroups": client.describe_security_groups,
                "DescribeNetworkAcls": client.describe_network_acls,
                "GetManagedPrefixListEntries": client.get_managed_prefix_list_entries,
            }
            return Answer(asks[call](MaxResults=_PER_PAGE.get(call, 1000), **parameters))

    def _note(self, call: str, item: Answer) -> None:
        for fault in item.faults:
            self._unreadable.note(call, fault)


def _attached(described: Answer) -> Attached:
    """An interface. Raises Malformed without an id, and RulesUnavailable if a group of it cannot be read."""
    groups = {each.text("GroupId"): each.text("GroupName") for each in described.each("Groups")}
    listed = described.value("Groups")
    if not isinstance(listed, list) or len(groups) < len(listed) or "" in groups:
        name = described.demand("NetworkInterfaceId")
        raise RulesUnavailable(f"EC2's description of {name} cannot be read", lasts=False)
    return Attached(interface(described), groups)


def _filters(wanted: Mapping[str, Sequence[str]]) -> list[dict[str, object]]:
    return [{"Name": name, "Values": list(values)} for name, values in wanted.items()]


def _with(group: SecurityGroup, listed: Listed) -> SecurityGroup:
    """The group with one more rule; incomplete if it is not known whether the rule is one of its own."""
    if not listed.group_id or listed.is_egress is None:
        return replace(group, complete=False)
    if listed.is_egress:
        return replace(group, outbound=(*group.outbound, listed.rule))
    return replace(group, inbound=(*group.inbound, listed.rule))


@contextmanager
def _answered(call: str) -> Iterator[None]:
    """Convert the errors of a call. Raises RulesUnavailable."""
    try:
        with classified(call):
            yield
    except CallThrottled as error:
        raise RulesUnavailable(f"EC2 throttled {call}") from error
    except CallFailed as error:
        timed_out = isinstance(error.__cause__, (ConnectTimeoutError, ReadTimeoutError))
        what = f"did not answer {call} within {RULES_SECONDS:.0f} s" if timed_out else f"failed {call}"
        raise RulesUnavailable(f"EC2 {what}") from error
    except EnforcementError as error:
        response = error.__cause__.response if isinstance(error.__cause__, ClientError) else {}
        code = one_line(Answer(response).inner("Error").text("Code"), LONGEST_CODE)
        raise RulesUnavailable(f"EC2 refused {call}{f' ({code})' if code else ''}", lasts=False) from error
