"""Rejects mutes that match everything, are badly written, or do not say when they end and why they exist.

It needs numpy for the names of services and peers; a policy without mutes is read without it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from flowwarden.errors import PolicyError
from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import Service
from flowwarden.policy.mutes import NEVER, Mute, moment_of
from flowwarden.policy.networks import check_muted, check_network, is_network

LONGEST_VALUE: Final = 512  # as long as the name of a log group
LONGEST_REASON: Final = 500
LONGEST_SHOWN: Final = 80
MATCHERS: Final = ("detector", "subject", "peer", "service", "role", "vpc")
_LIKE_ADDRESS: Final = re.compile(r"[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*(/[0-9]+)?")
"""What is meant as an address, also if it is none."""
_ENDS: Final = "write the last day in UTC (2027-03-31), a time with its zone (2027-03-31T18:00:00Z), or never"


def check_mutes(mutes: Sequence[Mute], exempt: Sequence[str]) -> None:
    """Check the mutes of a policy, alone and together with its exempt hosts.

    Raises:
        PolicyError: the first problem, with path, value and what is allowed.
    """
    for number, mute in enumerate(mutes):
        path = f"mutes[{number}]"
        _check_members(path, mute)
        if mute.subject is not None and (is_network(mute.subject) or _LIKE_ADDRESS.fullmatch(mute.subject)):
            _check_ends(f"{path}.subject", mute.subject)
        if mute.peer is not None and mute.peer not in [*PeerClass]:
            _check_ends(f"{path}.peer", mute.peer)
        if mute.service is not None:
            _check_service(f"{path}.service", mute.service)
        _check_until(f"{path}.until", mute.until)
    check_muted(exempt, _only(mutes, "subject"), _only(mutes, "peer"))


def _only(mutes: Sequence[Mute], name: str) -> list[str]:
    """The networks of the mutes that have no other matcher than this one."""
    others = [each for each in MATCHERS if each != name]
    values = [getattr(each, name) for each in mutes if not any(getattr(each, other) for other in others)]
    return [each for each in values if each is not None and is_network(each)]


def _check_members(path: str, mute: Mute) -> None:
    matchers = {name: value for name in MATCHERS if (value := getattr(mute, name)) is not None}
    if not matchers:
        raise PolicyError(
            f"policy: {path}: it would mute every finding; write at least one of {', '.join(MATCHERS)}"
        )
    if not mute.reason.strip() or len(mute.reason) > LONGEST_REASON:
        raise PolicyError(
            f"policy: {path}.reason: write why this is muted, in 1 to {LONGEST_REASON} characters"
        )
    for name, value in matchers.items():
        if not value or value != value.strip() or len(value) > LONGEST_VALUE:
            raise PolicyError(
                f"policy: {path}.{name}: {value[:LONGEST_SHOWN]!r}; write 1 to {LONGEST_VALUE} characters "
                "without spaces at the ends, or omit it"
            )


def _check_ends(path: str, value: str) -> None:
    check_network(
        path,
        value,
        "it would mute findings about any host",
        internal=True,
        others=f"one of {', '.join(PeerClass)}",
    )


def _check_service(path: str, text: str) -> None:
    try:
        Service.parse(text)
    except ValueError as error:
        raise PolicyError(
            f"policy: {path}: {text!r}; write a service such as tcp/5432, udp/53 or icmp"
        ) from error


def _check_until(path: str, text: str) -> None:
    try:
        if text != NEVER:
            moment_of(text)
    except ValueError as error:
        raise PolicyError(f"policy: {path}: {text!r}; {_ENDS}") from error
