"""The report on learning as text and as a document, of bounded size. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Any, Final

import msgspec
from msgspec import Struct

from flowwarden.monitor.baseline.known_roles import KnownRole
from flowwarden.monitor.baseline.shown import network_name
from flowwarden.monitor.review.rows import Names, Row, date, names_of, rows_of
from flowwarden.monitor.review.summary import RoleSummary
from flowwarden.network.services import TCP, describe_service
from flowwarden.notify.notification import Composed, Notification
from flowwarden.notify.text import plural
from flowwarden.printable import one_line, printable, safe

MOST_BYTES: Final = 225_000
"""Of the message of SNS, which contains the text six times and the document five times, and has room for
246,000 bytes: the remainder is for what precedes and follows the rows."""
_TEXTS, _DOCUMENTS = 6, 5
_COUNTED: Final = 140
"""Bytes of the numbers of rows of a role in the document: only the text lists the rows."""
MOST_NETWORKS: Final = 4
"""Networks of a role's hosts that its heading names."""
DOCUMENT_VERSION: Final = "1"
"""Raised when a member of the JSON document is removed or changes its meaning."""
INCIDENT: Final = "learning-report"
"""The kind of the notification."""


class Review(Struct, frozen=True, kw_only=True):
    """What is learned of some roles, as far as it fits."""

    roles: tuple[RoleSummary, ...]
    """Gravest first."""
    rows: Mapping[str, tuple[Row, ...]]
    """By role, gravest first."""
    networks: Mapping[str, tuple[str, ...]]
    """Of the hosts of each role."""
    left_out: int = 0
    """Rows that did not fit."""
    without: int = 0
    """Roles whose rows did not fit."""
    more: bool = False
    """Whether further roles follow in the report of the next day."""

    @classmethod
    def of(
        cls,
        roles: Iterable[RoleSummary],
        known: Sequence[KnownRole],
        *,
        most: float = inf,
        more: bool = False,
    ) -> Review:
        """The review of roles; the gravest rows that fit into `most` bytes of a message."""
        several = sorted(roles, key=lambda each: each.gravity)
        networks = {each.role: _networks(each) for each in known}
        rows, total = _fitting(several, names_of(known), networks, most)
        shown = tuple(each for each in several if rows.get(each.role) or most == inf)
        return cls(
            roles=shown,
            rows={each.role: tuple(rows.get(each.role, ())) for each in shown},
            networks=networks,
            left_out=total - sum(map(len, rows.values())),
            without=len(several) - len(shown),
            more=more,
        )


def _networks(role: KnownRole) -> tuple[str, ...]:
    return tuple(name for number in sorted(role.networks) if (name := network_name(number)))


def _fitting(
    roles: Sequence[RoleSummary], names: Names, networks: Mapping[str, tuple[str, ...]], most: float
) -> tuple[dict[str, list[Row]], int]:
    """The rows that fit, the gravest of all roles first, and the number of all rows."""
    every = [row for role in roles for row in rows_of(role, names)]
    heads = {each.role: _heading(each, networks) for each in roles}
    documents = {each.role: safe(_role(each, networks)) for each in roles}
    found: dict[str, list[Row]] = {}
    for row in sorted(every, key=lambda each: each.gravity):
        size = _TEXTS * _size(row.text)
        if row.role not in found:
            size += _TEXTS * _size(heads[row.role]) + _DOCUMENTS * (_size(documents[row.role]) + _COUNTED)
        if size > most:
            break
        most -= size
        found.setdefault(row.role, []).append(row)
    return found, len(every)


def _size(value: str | Mapping[str, Any]) -> int:
    """Bytes of a value in JSON in JSON; the quotes of a line stand for indentation and line break."""
    return len(msgspec.json.encode(msgspec.json.encode(value).decode()))


def _heading(role: RoleSummary, networks: Mapping[str, tuple[str, ...]]) -> str:
    own = networks.get(role.role, ())
    more = f" and {len(own) - MOST_NETWORKS} more" if len(own) > MOST_NETWORKS else ""
    hosts = f"hosts in {', '.join(own[:MOST_NETWORKS])}{more}; " if own else ""
    databases = ", ".join(describe_service(TCP, port) for port in role.databases)
    serves = f"; serves {databases}" if databases else ""
    state = "; still being learned" if role.learning else ""
    seen = f"{plural(role.days, 'day')} since {date(role.first)}"
    return f"Role {one_line(role.role)} ({hosts}{seen}{serves}{state})"


def as_text(review: Review) -> Composed:
    """The roles with their rows, a paragraph each."""
    return Composed.of(*(_paragraph(review, each) for each in review.roles))


def _paragraph(review: Review, role: RoleSummary) -> Iterator[str]:
    yield _heading(role, review.networks)
    section = ""
    for row in review.rows[role.role]:
        if row.section != section:
            section = row.section
            yield f"  {section}"
        yield f"    {row.text}"
    if not review.rows[role.role]:
        yield "  Nothing to list"


def as_document(review: Review) -> list[dict[str, Any]]:
    """The roles with their rows, as JSON values."""
    return [
        _role(each, review.networks) | {"rows": [dict(row.document) for row in review.rows[each.role]]}
        for each in review.roles
    ]


def _counts(review: Review) -> list[dict[str, Any]]:
    """The roles with the number of their rows of each kind: a message has no room for every row twice."""
    return [
        _role(each, review.networks)
        | {"listed": Counter(row.document["kind"] for row in review.rows[each.role])}
        for each in review.roles
    ]


def _role(role: RoleSummary, networks: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    return {
        "role": role.role, "since": date(role.first), "days": role.days, "learning": role.learning,
        "databases": list(role.databases),
        "networks": list(networks.get(role.role, ())[:MOST_NETWORKS]),
    }  # fmt: skip


_WHOLE: Final = "`flowwarden baseline show --stack NAME` prints the whole list at any time."
_FORGET: Final = "`flowwarden baseline forget --stack NAME --role ROLE`"
_BURSTS: Final = "Bursts of small sessions can be password guesses."
_STEPS: Final = (
    "What to do",
    f"  1. Review the list, first what is reached from outside and who administers whom. {_BURSTS}",
    "  2. If something is not meant: stop it, for example with a security group, and inspect the hosts.",
    f"  3. Then let Flow Warden learn the role again, so that its administration is new: {_FORGET}.",
    "  4. If everything is meant: nothing.",
)


def notification(review: Review, incident: str, account: str, region: str) -> Notification:
    """The report for operations."""
    count = len(review.roles) + review.without
    where = f"{one_line(account)}, {one_line(region)}"
    text = Composed.of(
        (
            f"Flow Warden has learned what is usual for {plural(count, 'role')}.",
            "What is listed is not reported as new. If an intruder was active meanwhile, it is in the list.",
        ),
        (f"Where        {where}", *_omitted(review)),
        _STEPS,
        *(_paragraph(review, each) for each in review.roles),
        (f"Incident {incident}, severity info",),
    )
    return Notification(
        subject=f"[INFO] learning ended for {plural(count, 'role')}: review what is usual, {region}",
        text=text,
        document={
            "version": DOCUMENT_VERSION, "kind": INCIDENT, "incident": incident, "severity": "info",
            "account": account, "region": region, "roles": _counts(review), "rows_left_out": review.left_out,
            "roles_left_out": review.without, "more_roles_follow": review.more,
            "advice": [printable(each).strip() for each in _STEPS[1:]],
        },
        attributes={"kind": INCIDENT, "severity": "info", "account": account, "region": region},
    )  # fmt: skip


def _omitted(review: Review) -> Iterator[str]:
    """What the report does not contain, and how to get all of it."""
    if review.left_out:
        roles = f", among them all of {plural(review.without, 'role')}" if review.without else ""
        yield f"Left out     {plural(review.left_out, 'row')}{roles}. The gravest rows are listed."
    if review.more:
        yield "Next         Further roles follow in the report of tomorrow."
    yield f"Whole list   {_WHOLE}"
