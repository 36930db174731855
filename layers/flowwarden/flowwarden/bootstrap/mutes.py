"""Checks of mutes before a deployment: those that can never match a finding, and those that have ended.

A running monitor does not make these checks: such a mute does no harm, and does what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Final

from flowwarden.errors import PolicyError
from flowwarden.network.roles import LONGEST, UNKNOWN
from flowwarden.policy.mutes import Mute
from flowwarden.policy.policy import Policy

TELEMETRY: Final = frozenset({"interface-silent", "records-skipped", "unjudged-records", "unparsed-lines"})
"""The detectors whose findings are about records, not about traffic."""
_OF_TRAFFIC: Final = ("peer", "service", "role", "vpc")
"""The members of a mute that only findings about traffic have."""
ROLE_KINDS: Final = ("tag:", "asg:", "sg:", "subnet:")
"""How a role begins, if it is known."""


def check_matches(mutes: Sequence[Mute]) -> None:
    """Reject mutes that no finding can match.

    Raises:
        PolicyError: the first problem, with path, value and what is allowed.
    """
    for number, mute in enumerate(mutes):
        for problem in _problems(mute):
            raise PolicyError(f"policy: mutes[{number}].{problem}")


def _problems(mute: Mute) -> Iterator[str]:
    if mute.detector and mute.detector not in detector_names():
        names = ", ".join(sorted(detector_names()))
        yield f"detector: {mute.detector!r} is not a detector; write one of {names}"
    if mute.detector in TELEMETRY:
        for name in _OF_TRAFFIC:
            if getattr(mute, name) is not None:
                yield (
                    f"{name}: findings of {mute.detector} are not about traffic and have no {name}, so the "
                    "mute would match none; write subject instead, or omit it"
                )
    if mute.role is not None and not _is_role(mute.role):
        yield (
            f"role: {mute.role[:LONGEST]!r} is not a role; write it as a page shows it: tag:KEY=VALUE, "
            f"asg:NAME, sg:ID, subnet:ID or {UNKNOWN}"
        )


def _is_role(text: str) -> bool:
    if text == UNKNOWN:
        return True
    kind = next((each for each in ROLE_KINDS if text.startswith(each)), "")
    rest = text.removeprefix(kind)
    return bool(kind and rest) and len(text) <= LONGEST and (kind != "tag:" or "=" in rest)


def ended(policy: Policy, now: int) -> Iterator[str]:
    """One sentence for each mute and exemption that has ended at this time, in Unix seconds."""
    for number, mute in enumerate(policy.mutes):
        if not mute.applies_at(now):
            yield f"mutes[{number}] has ended ({mute.until}), so it matches nothing: extend or remove it."
    today = datetime.fromtimestamp(now, UTC).date()
    for number, exemption in enumerate(policy.flow_logs.exemptions):
        if exemption.until is not None and exemption.until < today:
            yield (
                f"flow_logs.exemptions[{number}] has ended ({exemption.until}), so its VPCs need flow logs: "
                "extend or remove it."
            )


def detector_names() -> frozenset[str]:
    """The names of the detectors, from their files: importing them would load numpy."""
    package = find_spec("flowwarden.monitor.detectors")
    paths = package.submodule_search_locations if package else None
    return frozenset(each.name.replace("_", "-") for each in iter_modules(paths)) - {"base"}
