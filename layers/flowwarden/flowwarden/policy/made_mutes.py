"""Mutes made by command: like those of the policy, but stored in the state table, and always with an end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct, to_builtins

from flowwarden.errors import PolicyError
from flowwarden.notify.claims import digest
from flowwarden.policy.mutes import Mute
from flowwarden.state.sets import DAY

MOST_MADE: Final = 200
"""Mutes that can be stored. The monitor reads no more."""
LONGEST_DAYS: Final = 365
"""Days until the end of a mute, at most."""
ID_DIGITS: Final = 12
"""Characters of a mute's id."""


class MadeMute(Struct, frozen=True, kw_only=True):
    """A mute made by command."""

    id: str
    """Identifies what it matches: the same mute made again replaces it."""
    mute: Mute
    made_at: int | None = None
    """Unix seconds; None if that is not known."""
    made_by: str = ""
    """As given with the command."""
    incident: str = ""
    """The key of the incident from which it was made."""


class MadeMutes(Protocol):
    """The stored mutes. All methods raise StateUnavailable."""

    def load(self, now: int) -> Sequence[MadeMute]:
        """The valid ones that have not ended at `now` (Unix seconds), at most `MOST_MADE`."""


class MuteEditor(MadeMutes, Protocol):
    """The same, for commands that change them."""

    def put(self, mute: MadeMute) -> None:
        """Store a mute, in place of one with its id."""

    def remove(self, mute: str) -> bool:
        """Remove the mute with this id; False if there is none."""


def matchers_of(mute: Mute) -> dict[str, str]:
    """What it matches: its members without `until` and `reason`."""
    found: dict[str, str] = to_builtins(mute)
    return {name: each for name, each in found.items() if name not in {"until", "reason"}}


def id_of(mute: Mute) -> str:
    """The id of a mute: a hash of what it matches."""
    return digest(*(f"{name}={each}" for name, each in matchers_of(mute).items()))[:ID_DIGITS]


def check_made(mute: Mute, now: int) -> int:
    """Check a mute made by command, more strictly than one of the policy; return its end in Unix seconds.

    It must name a detector and end within `LONGEST_DAYS`, so that no single item hides everything.

    Raises:
        PolicyError: the first problem, with the member and what is allowed.
    """
    from flowwarden.policy.mute_checks import check_mutes  # noqa: PLC0415  it loads numpy

    check_mutes([mute], ())
    if mute.detector is None:
        raise PolicyError("detector: a mute made by command must name one")
    end = mute.end
    if end is None or end > now + LONGEST_DAYS * DAY:
        raise PolicyError(f"until: {mute.until!r}; write an end within {LONGEST_DAYS} days")
    return end
