"""A state table with open incidents, half of which are damaged, and a client in memory that returns it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final

import msgspec
from msgspec import Struct

from benchmarks.fuzz.draw import changed, damaged
from benchmarks.fuzz.table import EMPTY, Members, Table, damaged_item, documents, refusal, singles
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import Incident
from flowwarden.notify.pending import Pending, StoredNotification
from flowwarden.state import watermarks
from flowwarden.state.digests import (
    BATCHES,
    COUNTS,
    GROUPS,
    HOSTS,
    RECORDS,
    SOURCES,
    TARGETS,
    Group,
    Kept,
    Source,
    Target,
    count_number,
)
from flowwarden.state.schema import DIGESTS, INCIDENTS, MADE_MUTES, PAGE_BUDGET, WATERMARKS, item_of
from flowwarden.state.sets import DAY, HOUR

NOW: Final = 1_764_000_600 // DAY * DAY + 12 * HOUR
"""When the dispatcher runs (Unix seconds): a digest of an hour and one of a day are due."""
SINK: Final = "sns:pages"
OVER: Final = "00000000000000000000000000000001"
WAITING: Final = "00000000000000000000000000000002"
"""The intact incidents: one is over, the notification of the other one is pending."""
ITEMS: Final = 12
"""Damaged items of a table."""
_INTACT: Final = "/intact"
"""The log group of the intact incident."""
LOG_GROUP: Final = "/flow-logs"
_OPENED: Final = NOW - 5 * HOUR
_DIGITS: Final = 38
"""Of a number in DynamoDB."""
_REPEATED: Final = (":last_seen", ":lease_until", ":was_")
"""How names of values begin that repeat what was read: they are never larger than what DynamoDB stores."""
_ATTRIBUTES: Final = {"kind": "incident", "severity": "high", "account": "1", "region": "eu-west-1"}


def incident(log_group: str = LOG_GROUP) -> Incident:
    """An incident that is over."""
    return Incident(
        title="10.0.8.12 scans.",
        severity="high",
        detectors=("scan", "lateral-movement"),
        subject="10.0.8.12",
        log_group=log_group,
        last_seen=_OPENED + 600,
        resolve_after=1800,
        interfaces=(),
        attributes=_ATTRIBUTES,
        mutes=({"detector": "scan", "subject": "10.0.8.12"},),
        opened_at=_OPENED,
        reopened=1,
        reopen_after=14_400,
        counted_over=3600,
        held=True,
    )


def pending(key: str) -> Pending:
    """A notification that is about to be sent."""
    document = {"incident": key, "summary": "10.0.8.12 scans.", "advice": ["Look."]}
    notification = StoredNotification(
        subject="10.0.8.12 scans", text="one\ntwo\n", document=document, attributes=_ATTRIBUTES
    )
    return Pending(incident=incident(), notification=notification, quiet=3600, evidence=Evidence(gravity=2))


def members_of(key: str, state: str, log_group: str = LOG_GROUP) -> Members:
    """The undamaged members of an open incident in a state; together, all that are ever stored."""
    last_seen = _OPENED + 600
    sent = {
        "state": {"S": state}, "owner": {"S": "batch/attempt"}, "open": {"S": "open"},
        "check_at": _number(NOW - 60), "expires_at": _number(NOW + 10**6), "sent_at": _number(_OPENED),
        "suppressed_until": _number(NOW + 100), "suppressed_batches": {"SS": ["a", "b"]},
        "incident": _text(msgspec.to_builtins(incident(log_group))), "last_seen": _number(last_seen),
        "reopened": _number(1), "reported": {"SS": ["10.0.8.12"]}, "reported_places": {"SS": ["10.0.9.0/24"]},
        "reported_gravity": _number(2), "reported_limit": _number(100), "crowd": _number(9),
        "joined": {"SS": ["10.0.8.13"]},
    }  # fmt: skip
    others: Mapping[str, Members] = {
        "PENDING": {
            "pending": _text(msgspec.to_builtins(pending(key))), "lease_until": _number(NOW - 100),
            "tries": _number(1),
        },
        "SENT": {
            "acknowledged_until": _number(NOW + HOUR), "acknowledged_at": _number(NOW - HOUR),
            "acknowledged_by": {"S": "maria"}, "no_data_since": _number(last_seen),
            "reported_resolved": {"BOOL": True},
        },
        "RESOLVED": {
            "resolved_at": _number(NOW - 60), "resolved_by": {"S": "maria"}, "ended_at": _number(last_seen),
        },
    }  # fmt: skip
    return sent | others[state]


STATES: Final = "PENDING", "SENT", "RESOLVED"


def digest() -> Members:
    """The undamaged item of an hour."""
    group = Group("ping-sweep", "vpc-1", "10.0.0.5", "own", "icmp")
    return {
        GROUPS: {"SS": [group.text]},
        SOURCES: {"SS": [Source("203.0.113.9", 9, 3, (22, 23)).text]},
        TARGETS: {"SS": [Target("10.0.1.4", 5).text]},
        BATCHES: {"NS": [str(group.mark("batch"))]},
        COUNTS: {"NS": [str(count_number(Kept.SUPPRESSED, "batch", 3))]},
        RECORDS: {"NS": ["1", "70"]},
        HOSTS: {"NS": ["5", "9"]},
    }


class Contents(Struct, frozen=True):
    """What the table contains."""

    incidents: Mapping[str, Members]
    """The items of incidents, by their keys."""
    digest: Members
    """Of each hour."""
    budget: Members
    slots: Members
    """The member of a watermark, or of a heartbeat."""
    mutes: list[Members]
    holds: bool
    """Whether every condition of a write to a damaged item fails."""
    refuses: bool
    """Whether adding to such an item fails."""
    is_full: bool = False
    """Whether every write to such an item fails that does not only remove from it."""


def drawn(random: Random) -> Contents:
    """A table; about half of its items are damaged, but not the two that must be notified."""
    found = {}
    for number in range(ITEMS - 3):
        key = f"{number + 16:032x}"
        members = members_of(key, random.choice(STATES))
        found[key] = damaged_item(random, _with_documents(random, members))
    intact = {OVER: members_of(OVER, "SENT", _INTACT), WAITING: members_of(WAITING, "PENDING")}
    # It was not acknowledged, and its last notification did not say that it is over.
    intact[OVER].pop("reported_resolved")
    return Contents(
        incidents=found | intact,
        digest=damaged_item(random, _with_rows(random, digest())),
        budget=damaged_item(random, singles(NOW)[PAGE_BUDGET.prefix]),
        slots=damaged_item(random, {"slots": {"NS": [str(watermarks.slot_of(NOW))]}}),
        mutes=[
            damaged_item(random, {"sk": {"S": key}, name: _text(changed(random, document, 2))})
            for key, name, document in documents(NOW)[MADE_MUTES]
        ],
        holds=bool(random.randrange(2)),
        refuses=not random.randrange(4),
        is_full=not random.randrange(8),
    )


def _with_documents(random: Random, members: Members) -> Members:
    """The same item, whose JSON documents may be damaged."""
    found = dict(members)
    for name in ("incident", "pending"):
        if name in found and not random.randrange(3):
            text = json.dumps(changed(random, json.loads(found[name]["S"]), 3))
            broken = not random.randrange(8)
            found[name] = {"S": _broken(random, text) if broken else text}
    return found


def _broken(random: Random, text: str) -> str:
    return damaged(random, text.encode()).decode("utf-8", "replace")


def _with_rows(random: Random, members: Members) -> Members:
    """The same item, whose rows may be damaged."""
    found = dict(members)
    for name in DIGESTS.texts:
        rows = [json.dumps(changed(random, json.loads(each), 2)) for each in found[name]["SS"]]
        found[name] = {"SS": [*rows, *found[name]["SS"]]}
    return found


class IncidentTable(Table):
    """A client of DynamoDB that returns these items and ignores writes."""

    def __init__(self, contents: Contents) -> None:
        super().__init__(EMPTY)
        self._contents = contents
        self._by_pk = {
            INCIDENTS.address(SINK, key)[0]: (key, members) for key, members in contents.incidents.items()
        }

    def keys_of_incidents(self) -> Iterator[str]:
        """The keys of all incidents."""
        yield from self._contents.incidents

    def query(self, **_: Any) -> Members:  # noqa: ANN401 - boto3's
        """See boto3: the index of the open incidents."""
        return {"Items": [{"pk": {"S": pk}, "sk": {"S": INCIDENTS.sort}} for pk in self._by_pk]}

    def paginate(self, **given: Any) -> Iterator[Members]:  # noqa: ANN401 - boto3's
        """See boto3: the index, or the partition of the mutes."""
        yield self.query() if "IndexName" in given else {"Items": self._contents.mutes}

    def update_item(self, *, Key: Members, UpdateExpression: str, **given: Any) -> Members:  # noqa: ANN401, N803
        """See boto3."""
        key, item = self._by_pk.get(Key["pk"]["S"], ("", {}))
        if any(len(each.get("N", "").lstrip("-")) > _DIGITS for each in _written(given)):
            raise refusal("ValidationException", {})
        if key not in {"", OVER, WAITING}:
            full = self._contents.is_full and not UpdateExpression.startswith("REMOVE")
            if full or (self._contents.refuses and "ADD " in UpdateExpression):
                raise refusal("ValidationException", {})
            if self._contents.holds and "ConditionExpression" in given:
                raise refusal("ConditionalCheckFailedException", item)
        return {"Attributes": item} if "ReturnValues" in given else {}

    def _at(self, key: Members) -> Members:
        pk = key["pk"]["S"]
        if pk in self._by_pk:
            return key | self._by_pk[pk][1]
        if pk.startswith(PAGE_BUDGET.prefix):
            return self._contents.budget
        kind = item_of(pk)
        if kind is DIGESTS:
            return self._contents.digest
        if kind is WATERMARKS and _INTACT in pk:
            return {"slots": {"NS": [str(watermarks.slot_of(NOW))]}}
        return dict.fromkeys(kind.sets, [*self._contents.slots.values(), {}][0]) if kind else {}


def _written(given: Members) -> Iterator[Members]:
    """The values of a write, without those that repeat what an item contains."""
    values = given.get("ExpressionAttributeValues", {})
    yield from (each for name, each in values.items() if not name.startswith(_REPEATED))


def _number(value: int) -> Members:
    return {"N": str(value)}


def _text(document: Any) -> Members:  # noqa: ANN401 - JSON
    return {"S": json.dumps(document)}
