"""When a report on learning is due, and about which roles. Pure.

Whichever container asks on a day gets the same roles, from the state table alone, so that the claim of the
report belongs to the same incident in all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from flowwarden.monitor.baseline.baseline import LEARNING_DAYS
from flowwarden.monitor.baseline.known_roles import KnownRole
from flowwarden.notify.claims import digest
from flowwarden.state.schema import LEARNING_REPORTS
from flowwarden.state.sets import DAY, Addition, Sets, fingerprint

WAIT_DAYS: Final = 2
"""Days that a report waits for roles that began later: an account is rarely deployed within one day."""
DAYS_BETWEEN: Final = 7
"""Days between two reports, for roles that are new in a learned account."""
MOST_ROLES: Final = 64
"""Roles of a report. The others follow in the report of the next day."""
MOST_READ: Final = 96
"""Roles whose baselines are read for a report: the seldom-used ones are never learned."""

ROLES, DAYS, MORE = LEARNING_REPORTS.sets
KEY: Final = LEARNING_REPORTS.key_of()


def candidates(known: Iterable[KnownRole], reported: Sets, today: int) -> list[KnownRole]:
    """The roles that a report on a day (since 1970) may list, those to read first first.

    Their order changes each day, so that roles that are never learned do not displace others for ever.
    """
    if not _may_report(reported, today):
        return []
    listed = reported.get(ROLES, frozenset())
    old = [
        each for each in known if _age(each, today) >= LEARNING_DAYS and number_of(each.role) not in listed
    ]
    if not any(has_waited(each, today) for each in old):
        return []
    return sorted(old, key=lambda each: fingerprint(each.role, today))[:MOST_READ]


def has_waited(role: KnownRole, today: int) -> bool:
    """Whether a report is due for the role: others may be listed with it."""
    return _age(role, today) >= LEARNING_DAYS + WAIT_DAYS


def _age(role: KnownRole, today: int) -> int:
    """Days since the role was stored; a day far ahead, as in a damaged item, is no reason to wait."""
    return today - role.known if role.known <= today + 1 else LEARNING_DAYS + WAIT_DAYS


def _may_report(reported: Sets, today: int) -> bool:
    before = [each for each in reported.get(DAYS, ()) if each <= today]
    last = max(before, default=0)
    return last < today and (today - last >= DAYS_BETWEEN or last in reported.get(MORE, ()))


def number_of(role: str) -> int:
    """The number under which a role is stored as reported."""
    return fingerprint(role)


def reported_addition(roles: Sequence[str], today: int, *, more: bool) -> Addition:
    """The addition that marks roles as reported; `more` is whether others were left for the next day."""
    sets = {ROLES: frozenset(map(number_of, roles)), DAYS: frozenset({today})}
    kept = LEARNING_REPORTS.kept_until(today * DAY)
    return Addition(KEY, sets | ({MORE: frozenset({today})} if more else {}), kept)


def incident_of(region: str, roles: Iterable[KnownRole]) -> str:
    """The incident of a report: the same roles are not reported twice, unless they are learned again."""
    return digest("learning-report", region, *sorted(f"{each.known} {each.role}" for each in roles))
