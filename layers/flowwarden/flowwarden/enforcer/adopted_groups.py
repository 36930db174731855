"""Reads the existing log groups into which the unmanaged flow logs of the observed VPCs deliver."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from flowwarden.enforcer.decide.adoptable import groups_read_twice, groups_to_read
from flowwarden.enforcer.decide.drift import log_group_of
from flowwarden.enforcer.decide.subscriptions import Request
from flowwarden.enforcer.existing_groups import ExistingGroupReader
from flowwarden.enforcer.observe import Observed, seen_in
from flowwarden.enforcer.planner import Planner
from flowwarden.enforcer.ports import EnforcerPorts
from flowwarden.enforcer.state.stack import Stack
from flowwarden.policy.flow_logs import FlowLogsPolicy

YOUNG_SECONDS: Final = 3600
"""Age of a flow log whose log group may not exist yet: the first record creates it, which may take more than
ten minutes (VPC User Guide, Troubleshoot VPC Flow Logs)."""


class AdoptedGroups:
    """Adds to an observed account the existing log groups that the monitor reads."""

    def __init__(self, policy: FlowLogsPolicy, planner: Planner, ports: EnforcerPorts, stack: Stack) -> None:
        self._policy = policy
        self._planner = planner
        self._evidence = ports.evidence
        self._stack = stack
        self._reader = (
            ExistingGroupReader(ports.existing, ports.permissions, stack, ports.clock)
            if ports.existing is not None
            else None
        )

    def read(self, observed: Observed, now: int, *, everything: bool, dry_run: bool) -> Observed:
        """Subscribe the monitor to the groups, and read which interfaces wrote into them.

        Args:
            observed: the account as observed.
            now: Unix seconds.
            everything: whether all VPCs were observed. If not, only the groups of the observed VPCs are read,
                and none is given up.
            dry_run: whether to change nothing.
        """
        # Without the monitor's function, as in another account, nothing can be subscribed.
        if self._reader is None or not self._stack.monitor_arn:
            return observed
        request = self._request(observed, now, named=everything)
        if everything and observed.complete:
            twice = groups_read_twice(observed.resources, self._policy.adopted, self._stack, now)
            request = replace(request, twice=twice - request.names)
        seen = {**seen_in(self._evidence, request.names - observed.seen.keys(), now), **observed.seen}
        request = replace(
            request, was_read=frozenset(name for name, each in seen.items() if any(each.values()))
        )
        # A flow log that could not be read may deliver into a group that seems to be dropped.
        whole = everything and observed.complete
        reading = self._reader.read(request, now, everything=whole, dry_run=dry_run)
        kept = reading.groups.keys() | observed.seen.keys()
        return replace(observed, reading=reading, seen={name: seen[name] for name in seen if name in kept})

    def _request(self, observed: Observed, now: int, *, named: bool) -> Request:
        selections = self._policy.adopted
        adopting = (each.vpc_id for each in observed.vpcs if self._planner.adopts(each, now))
        names = groups_to_read(adopting, observed.resources, selections, self._stack, named=named)
        young = (
            log_group_of(each, self._stack)
            for each in observed.listed
            if each.creation_time is not None and now - each.creation_time < YOUNG_SECONDS
        )
        return Request(
            names=names, selections=selections, young=frozenset(each for each in young if each is not None)
        )
