"""The lookups for one page: what fails is missing from the results, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from flowwarden.errors import RulesUnavailable
from flowwarden.monitor.rules.ports import Allow, Attached, RuleChanges, RuleDirectory
from flowwarden.monitor.rules.question import Question
from flowwarden.monitor.rules.reader import Key, Reader
from flowwarden.network.rules.matching import service_matches
from flowwarden.network.rules.model import (
    Configuration,
    Network,
    NetworkAcl,
    Packet,
    PrefixList,
    SecurityGroup,
)
from flowwarden.state.rule_changes import RuleChange
from flowwarden.state.sets import DAY

MOST_PREFIX_LISTS: Final = 5
"""Prefix lists that are read for a page. A rule with a further one makes the verdict undetermined."""


class Lookup:
    """Reads what one page needs."""

    def __init__(self, directory: RuleDirectory, reader: Reader, now: int, allow: Allow) -> None:
        """Begin without reasons.

        Args:
            directory: reads from EC2.
            reader: the memory of the container.
            now: Unix seconds.
            allow: encloses each request.
        """
        self._directory = directory
        self._reader = reader
        self._now = now
        self._allow = allow
        self.reasons: dict[str, None] = {}
        """Why something is missing, each once, in order."""

    def interface(self, interface_id: str) -> Attached | None:
        """A network interface."""
        ask = self._directory.interface
        return self._attempt((interface_id,), lambda: ask(interface_id, self._allow))

    def interface_at(self, vpc_id: str, question: Question) -> Attached | None:
        """The interface at the far end, if it can be in the VPC."""
        if question.far_is_public or not vpc_id:
            return None
        ask = self._directory.interface_at
        return self._attempt((vpc_id, question.far), lambda: ask(vpc_id, question.far, self._allow))

    def configuration(self, ends: Sequence[Attached], request: Packet) -> Configuration:
        """The rules at these interfaces, as far as EC2 describes them."""
        names = {group: name for each in ends for group, name in each.group_names.items()}
        subnets = tuple(dict.fromkeys(each.interface.subnet_id for each in ends if each.interface.subnet_id))
        groups = self._groups(names, ends[0].interface.vpc_id)
        wanted = dict.fromkeys(_prefix_lists(groups.values(), request))
        return Configuration(
            groups=groups,
            acls=self._acls(subnets),
            prefix_lists=dict(self._read_lists(list(wanted)[:MOST_PREFIX_LISTS])),
        )

    def changes(self, changes: RuleChanges, resources: Sequence[str]) -> tuple[RuleChange, ...]:
        """The latest changes of these resources."""
        ask, since = changes.of, self._now - DAY
        key = "changes", *resources
        found = self._attempt(key, lambda: tuple(ask(resources, since, self._allow)))
        return found or ()

    def _groups(self, names: Mapping[str, str], vpc_id: str) -> Mapping[str, SecurityGroup]:
        if not names:
            return {}
        ask, key = self._directory.groups, ("groups", *sorted(names))
        return self._attempt(key, lambda: ask(names, vpc_id, self._allow)) or {}

    def _acls(self, subnets: tuple[str, ...]) -> Mapping[str, NetworkAcl]:
        if not subnets:
            return {}
        ask = self._directory.acls
        return self._attempt(("acls", *subnets), lambda: ask(subnets, self._allow)) or {}

    def _read_lists(self, names: Iterable[str]) -> Iterable[tuple[str, tuple[Network, ...]]]:
        for name in names:
            if (found := self._prefix_list(name)) is not None:
                yield name, found

    def _prefix_list(self, name: str) -> tuple[Network, ...] | None:
        ask = self._directory.prefix_list
        return self._attempt((name,), lambda: ask(name, self._allow))

    def _attempt[Read](self, key: Key, ask: Callable[[], Read]) -> Read | None:
        """The answer; None if there is none, with the reason."""
        try:
            return self._reader.read(key, ask, self._now)
        except RulesUnavailable as error:
            self.reasons[str(error)] = None
            return None


def _prefix_lists(groups: Iterable[SecurityGroup], request: Packet) -> Iterable[str]:
    """The prefix lists in rules that may be about a packet."""
    for group in groups:
        for rule in (*group.inbound, *group.outbound):
            if isinstance(rule.peer, PrefixList) and service_matches(rule, request) is not False:
                yield rule.peer.prefix_list_id
