"""A state table with damaged items: its content, and a client in memory that returns it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final, Self

import msgspec
from botocore.exceptions import ClientError
from msgspec import Struct

from benchmarks.fuzz.draw import changed, damaged
from flowwarden.aws.dynamodb.table import number
from flowwarden.enforcer.creation import Creation, ManagedFlowLog
from flowwarden.enforcer.deletion_call import DeletionCall
from flowwarden.enforcer.outbox import Unsent
from flowwarden.enforcer.registry import DeletedFlowLog, KnownFlowLog
from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from flowwarden.enforcer.work_queue import Cursor, WorkItem
from flowwarden.notify.notification import Notification
from flowwarden.policy.made_mutes import MadeMute, id_of
from flowwarden.policy.mutes import Mute
from flowwarden.state.rule_changes import RuleChange
from flowwarden.state.schema import (
    CREATIONS,
    DELETED_FLOW_LOGS,
    DELETION_CALLS,
    INCIDENTS,
    KNOWN_FLOW_LOGS,
    KNOWN_ROLES,
    LAST_GOOD_POLICY,
    LOG_FORMATS,
    MADE_MUTES,
    MANAGED_FLOW_LOGS,
    MUTES,
    OUTBOX,
    PAGE_BUDGET,
    REGISTRY,
    ROLES,
    RULE_CHANGES,
    SWEEP_CURSOR,
    UNSENT,
    WORK,
    WORK_ITEMS,
    item_of,
)
from flowwarden.state.sets import DAY, HOUR
from tests.aws.dynamodb.damage import DAMAGE

type Members = dict[str, Any]
"""An item in DynamoDB's notation."""

ITEMS: Final = 13
"""Items that count for a table, which has a few more: alone, and in partitions."""
_VPC: Final = "vpc-0a10c0de00000001"
_CALLER: Final = ApiCaller(event_name="DeleteFlowLogs", actor="arn:aws:iam::111122223333:user/maria")


class Stored(Struct, frozen=True):
    """The content of a table."""

    single: Mapping[str, Members]
    """Items that are alone in a partition, by the prefix of their key; items of sets by ''."""
    partitions: Mapping[str, list[Members]]
    """Items that one query reads."""
    holds: bool
    """Whether every condition of a write fails."""
    refuses: bool
    """Whether ADD to an item's sets fails."""


EMPTY: Final = Stored({}, {}, holds=False, refuses=False)


def drawn(random: Random, now: int) -> Stored:
    """A table in which about half of the items are damaged; `now` is Unix seconds."""
    single = {prefix: damaged_item(random, members) for prefix, members in singles(now).items()}
    partitions = {
        name: [damaged_item(random, _with_document(random, *each)) for each in items]
        for name, items in documents(now).items()
    }
    partitions[ROLES] = [damaged_item(random, known_role(now))]
    return Stored(single, partitions, bool(random.randrange(2)), not random.randrange(4))


def damaged_item(random: Random, members: Members) -> Members:
    """The item, or with the same probability a damaged one."""
    if random.randrange(2):
        return members
    if random.randrange(2):
        name, damage = random.choice([*members]), random.choice([*DAMAGE.values()])
        others = {each: value for each, value in members.items() if each != name}
        return others if damage is None else others | {name: damage}
    found: Any = changed(random, members, 2)
    return found if isinstance(found, dict) else {}


def _with_document(random: Random, key: str, name: str, document: Any) -> Members:  # noqa: ANN401
    """An item whose member `name` is a JSON document, which may be damaged."""
    text = json.dumps(changed(random, document, 2))
    if not random.randrange(8):
        text = damaged(random, text.encode()).decode("utf-8", "replace")
    return {"sk": {"S": key}, name: {"S": text}, "expires_at": {"N": "1999999999"}}


def singles(now: int) -> dict[str, Members]:
    """The undamaged items that are alone in a partition, by the prefix of their key; items of sets by ''."""
    hour = f"{now % DAY // HOUR:02}"
    formats = [{"S": "${version} ${srcaddr} ${dstaddr} ${action}"}]
    return {
        INCIDENTS.prefix: {
            "state": {"S": "SENT"}, "owner": {"S": "batch/attempt"}, "suppressed_until": number(now + 100),
            "lease_until": number(now + 10), "sent_at": number(now - 900), "tries": number(1),
            "suppressed_batches": {"SS": ["a", "b"]}, "expires_at": number(now + 10**6),
        },
        PAGE_BUDGET.prefix: {
            "of_day": {"SS": ["0" * 12, "1" * 12]}, f"hour_{hour}": {"SS": ["0" * 12]},
            f"critical_{hour}": {"SS": ["2" * 12]}, "expires_at": number(now + 10**5),
        },
        LOG_FORMATS.prefix: {
            "formats": {"L": formats}, "unreported": {"BOOL": False}, "learned_at": number(now),
            "asked_at": number(now), "expires_at": number(now + 10**6),
        },
        LAST_GOOD_POLICY.prefix: {
            "content": {"S": '{"exempt": ["10.0.1.20"]}'}, "stored_at": number(now),
        },
        "": {"numbers": {"NS": ["1", "7", "200"]}},
    }  # fmt: skip


def known_role(now: int) -> Members:
    """An item of the roles as it is stored: of a role whose report is due."""
    return {
        "sk": {"S": KNOWN_ROLES.key_of("tag:Role=web")}, "known": number(20_000),
        "networks": {"NS": ["655361", "7"]}, "expires_at": number(now + 10**6),
    }  # fmt: skip


def documents(now: int) -> dict[str, list[tuple[str, str, Any]]]:
    """The undamaged documents of each partition: sort key, name of the member, document."""
    of = msgspec.to_builtins
    flow_log = DesiredFlowLog(destination="/flow-warden/flow-logs", log_format="${srcaddr} ${dstaddr}")
    page = Notification(
        subject="[INFO] s", text="one\ntwo\n", document={"kind": "x"}, attributes={"kind": "x"}
    )
    deleted = DeletedFlowLog(flow_log_id="fl-2", vpc_id=_VPC, at=now, caller=_CALLER, managed=True)
    ids = ("fl-4", "fl-5")
    call = DeletionCall(call_id="d1", at=now, caller=_CALLER, flow_log_ids=ids, reported=ids[1:])
    unsent = Unsent(key="k", batch="b", notification=page, replaced=(deleted,))
    entries = (
        (CREATIONS.key_of("t"), Creation(client_token="t", vpc_id=_VPC, flow_log=flow_log, at=now)),  # noqa: S106
        (MANAGED_FLOW_LOGS.key_of("fl-1"), ManagedFlowLog(flow_log_id="fl-1", vpc_id=_VPC, at=now)),
        (KNOWN_FLOW_LOGS.key_of("fl-3"), KnownFlowLog(flow_log_id="fl-3", resource_ids=(_VPC,), at=now)),
        (DELETED_FLOW_LOGS.key_of("fl-2"), deleted),
        (DELETION_CALLS.key_of("d1"), call),
    )
    work = WorkItem(vpc_id=_VPC, due=now, reason="throttled", failing_since=now - 60)
    mute = Mute(detector="scan", subject="10.0.8.12", until="2033-05-18", reason="known")
    made = MadeMute(id=id_of(mute), mute=mute, made_at=now, made_by="maria", incident="0a")
    change = RuleChange(resource="sg-1", call="RevokeSecurityGroupIngress", call_id="e1", at=now - 60)
    return {
        RULE_CHANGES.partition: [(RULE_CHANGES.key_of(*change.key), "content", of(change))],
        MADE_MUTES: [(MUTES.key_of(made.id), "content", of(made))],
        WORK: [
            (WORK_ITEMS.key_of(_VPC), "content", of(work)),
            (SWEEP_CURSOR.key_of(), "content", of(Cursor(after=_VPC))),
        ],
        OUTBOX: [(UNSENT.key_of("k"), "report", of(unsent))],
        REGISTRY: [(key, "content", of(entry)) for key, entry in entries],
    }


class Table:
    """A client of DynamoDB that returns the stored items and ignores writes."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored

    def get_item(self, *, Key: Members, **_: Any) -> Members:  # noqa: ANN401, N803 - boto3's
        """See boto3."""
        return {"Item": self._at(Key)}

    def batch_get_item(self, *, RequestItems: Members) -> Members:  # noqa: N803 - boto3's
        """See boto3."""
        return {
            "Responses": {
                name: [{**self._at(key), **key} for key in asked["Keys"]]
                for name, asked in RequestItems.items()
            }
        }

    def get_paginator(self, _operation: str) -> Self:
        """See boto3."""
        return self

    def paginate(self, *, ExpressionAttributeValues: Members, **_: Any) -> Iterator[Members]:  # noqa: ANN401, N803
        """See boto3."""
        yield {"Items": self._stored.partitions.get(ExpressionAttributeValues[":pk"]["S"], [])}

    def update_item(self, *, Key: Members, UpdateExpression: str, **given: Any) -> Members:  # noqa: ANN401, N803
        """See boto3."""
        item = self._at(Key)
        if self._stored.refuses and UpdateExpression.startswith("ADD"):
            raise refusal("ValidationException", {})
        if self._stored.holds and "ConditionExpression" in given:
            raise refusal("ConditionalCheckFailedException", item)
        return {"Attributes": item} if "ReturnValues" in given else {}

    def batch_write_item(self, **_: Any) -> Members:  # noqa: ANN401 - boto3's
        """See boto3."""
        return {}

    def delete_item(self, **_: Any) -> Members:  # noqa: ANN401 - boto3's
        """See boto3."""
        return {}

    def _at(self, key: Members) -> Members:
        pk = key["pk"]["S"]
        if kind := item_of(pk):
            values = [*self._stored.single.get("", {}).values()] or [{}]
            return {name: values[at % len(values)] for at, name in enumerate(kind.sets)}
        return next(
            (found for prefix, found in self._stored.single.items() if prefix and pk.startswith(prefix)), {}
        )


def refusal(code: str, item: Members) -> ClientError:
    """The error with which DynamoDB refuses a write; `item` is what it contains."""
    response: Any = {"Error": {"Code": code, "Message": "by the fuzzer"}, "Item": item}
    return ClientError(response, "UpdateItem")
