"""A host as people name it: its name, its owner, what it is, and where. Pure.

Tags, names and descriptions are written by others. Each is one short piece of a line. One with a character
that could end a list or a parenthesis stands between quotation marks, so that it cannot look like the page's
own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final

from flowwarden.monitor.names import Names
from flowwarden.monitor.render.console import Console
from flowwarden.monitor.traffic.hosts import Host
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.resource import Resource, resource_of
from flowwarden.network.roles import AUTO_SCALING_TAG
from flowwarden.notify.text import moment
from flowwarden.printable import one_line

LONGEST_NAME: Final = 64
"""Characters of a name or a tag on a page. EC2 allows 256 for a tag's value; the document has all of it."""
MOST_OWNERS: Final = 3
"""Tags that name an owner, for each host on a page."""
MOST_GROUPS: Final = 3
"""Security groups of a host on a page; EC2 allows 16."""

MOST_OF_EC2: Final = 16
"""Security groups and public addresses in the document: EC2's own limit for the former."""

_PLAIN: Final = re.compile(r"[\w.:/=+@-]+(?: [\w.:/=+@-]+)*")
"""The characters that AWS recommends for tags: letters, digits, spaces and + - = . _ : / @."""
_USUAL: Final = frozenset({"", "Primary network interface"})
"""Descriptions of interfaces that say nothing."""


def named(text: str) -> str:
    """A name from outside as a piece of a line, between quotation marks unless it is plain."""
    short = one_line(text, LONGEST_NAME)
    return short if _PLAIN.fullmatch(short) else '"{}"'.format(short.replace('"', "'"))


def with_name(known_id: str, name: str) -> str:
    """`subnet-1 (app-a)`; the id alone if there is no name."""
    return f"{known_id} ({named(name)})" if name else known_id


class NamedHost:
    """The host at an address, or at an interface of which no address is known."""

    def __init__(
        self, host: Host, names: Names | None, owner_tags: Sequence[str], *, from_outside: bool = False
    ) -> None:
        """Take what is known.

        Args:
            host: the host.
            names: what was looked up; None if nothing could be, as without AWS.
            owner_tags: keys of tags that tell whose a host is.
            from_outside: whether the finding is about connections from the internet: then also the absence
                of a public address is worth a word.
        """
        self._reached_from_outside = from_outside
        self.host = host
        self._names = names
        self._owner_tags = owner_tags
        self._found = host.found or NetworkInterface(interface_id=host.interface or "")

    @property
    def is_known(self) -> bool:
        """Whether anything but the address is known."""
        return bool(self.host.interface or self.host.instance)

    @property
    def name(self) -> str:
        """The tag `Name`; '' if there is none."""
        return self._found.name

    @property
    def label(self) -> str:
        """The name, or else what it is; '' if neither is known."""
        if self.name:
            return named(self.name)
        return self._resource_text

    @cached_property
    def resource(self) -> Resource | None:
        """What it is, if not only an instance."""
        return resource_of(self._found)

    @property
    def owners(self) -> dict[str, str]:
        """The tags that tell whose it is, by key, as they are written."""
        return {key: value for key in self._owner_tags if (value := self._found.tags.get(key))}

    @property
    def auto_scaling_group(self) -> str:
        """The name of its Auto Scaling group; '' if it has none."""
        return self._found.tags.get(AUTO_SCALING_TAG, "")

    @property
    def who(self) -> list[str]:
        """What it is, whose, and in which role."""
        return [*self._who()]

    @property
    def place(self) -> list[str]:
        """Its ids, subnet, security groups and public addresses, and when EC2 described it."""
        return [*self._place()]

    def document(self, console: Console) -> dict[str, Any]:
        """The same for machines."""
        host, found = self.host, self._found
        return {
            "name": one_line(self.name) or None,
            "interface": host.interface,
            "instance": host.instance,
            "subnet": host.subnet,
            "subnet_name": self.subnet_name or None,
            "role": host.role,
            "owners": {key: one_line(value) for key, value in self.owners.items()},
            "auto_scaling_group": self.auto_scaling_group or None,
            "resource": self.resource and {"kind": self.resource.kind, "name": self.resource.name or None},
            "description": found.description or None,
            "security_groups": [
                {"id": each, "name": name or None} for each, name in self.groups[:MOST_OF_EC2]
            ],
            "public_addresses": list(found.public_addresses[:MOST_OF_EC2]),
            "described": host.described,
            "console": {
                "interface": console.interface(host.interface or "") or None,
                "instance": console.instance(host.instance or "") or None,
                "subnet": console.subnet(host.subnet or "") or None,
            },
        }

    @property
    def groups(self) -> list[tuple[str, str]]:
        """Its security groups with their names, '' for a missing one."""
        names = (*self._found.group_names, *("" for _ in self._found.security_groups))
        return list(zip(self._found.security_groups, names, strict=False))

    @property
    def subnet_name(self) -> str:
        """The name of its subnet; '' if it is not known."""
        names = self._names.subnets if self._names else {}
        return names.get(self.host.subnet or "", "")

    @property
    def _resource_text(self) -> str:
        if self.resource is None:
            return ""
        return f"{self.resource.kind} {_resource_name(self.resource)}".rstrip()

    def _who(self) -> Iterator[str]:
        if self.name and self._resource_text:
            yield self._resource_text
        owners = self.owners
        yield from (f"{named(key)}={named(owners[key])}" for key in [*owners][:MOST_OWNERS])
        if self._owner_tags and self.host.found and self.host.instance and not owners:
            yield "no owner tag"
        role, group = self.host.role, self.auto_scaling_group
        if role:
            yield f"role {role}"
        if group and role != f"asg:{group}":
            yield f"Auto Scaling group {named(group)}"

    def _place(self) -> Iterator[str]:
        host, found = self.host, self._found
        yield from (each for each in (host.instance, host.interface) if each)
        if host.subnet:
            yield with_name(host.subnet, self.subnet_name)
        if groups := self._groups():
            yield groups
        if found.public_addresses:
            yield f"public address {found.public_addresses[0]}"
        elif host.found and self._reached_from_outside:
            yield "no public address"
        if not (self.name or self.resource or found.description in _USUAL):
            yield f'description "{one_line(found.description, LONGEST_NAME).replace(chr(34), chr(39))}"'
        if host.described is not None:
            yield f"per EC2 at {moment(host.described)}"
        if self._is_missing:
            yield "EC2 does not describe this interface: it is deleted, or belongs to another account"

    @property
    def _is_missing(self) -> bool:
        asked = self._names is not None and not self._names.unavailable
        return asked and bool(self.host.interface) and self.host.found is None

    def _groups(self) -> str:
        groups = [with_name(each, name) for each, name in self.groups]
        rest = len(groups) - MOST_GROUPS
        shown = f"{', '.join(groups[:MOST_GROUPS])}{f' and {rest} more' if rest > 0 else ''}"
        return f"security group{'s' if len(groups) > 1 else ''} {shown}" if groups else ""


def _resource_name(resource: Resource) -> str:
    return named(resource.name) if resource.name else ""
