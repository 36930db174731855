"""Each item that the enforcer reads from the state table, damaged: no run fails, and the damage is counted.

Nothing of others is deleted, and every VPC is covered. The items are those that real runs leave.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.outbox import DynamoDbOutbox
from flowwarden.aws.dynamodb.policy import DynamoDbPolicy
from flowwarden.aws.dynamodb.registry import DynamoDbRegistry
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.aws.dynamodb.work_queue import DynamoDbWorkQueue
from flowwarden.enforcer.creation import Creation, ManagedFlowLog
from flowwarden.enforcer.deletion_call import DeletionCall
from flowwarden.enforcer.reconcile import Enforcer
from flowwarden.enforcer.registry import DeletedFlowLog, KnownFlowLog
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.enforcer.work_queue import Cursor
from flowwarden.errors import PublishFailed
from flowwarden.policy.last_good import Origin, PolicyRecorder
from flowwarden.state import heartbeats
from flowwarden.state.schema import (
    CREATIONS,
    DELETED_FLOW_LOGS,
    DELETION_CALLS,
    INCIDENTS,
    ITEMS,
    KNOWN_FLOW_LOGS,
    LAST_GOOD_POLICY,
    MANAGED_FLOW_LOGS,
    SWEEP_CURSOR,
    UNSENT,
    WORK_ITEMS,
)
from flowwarden.unreadable import Unreadable
from tests.aws.dynamodb.damage import (
    DAMAGE,
    FAR,
    TABLE,
    damage,
    dynamodb,
    empty,
    fill,
    items,
    members,
    restore,
)
from tests.enforcer.deletions import EVE
from tests.enforcer.fakes import STACK, TERMS, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2, wanted
from tests.enforcer.runs import BORN, DESIRED, RETRY, SWEEP, THROTTLED, existing, own
from tests.examples import examples
from tests.hostile import HOSTILE

pytestmark = pytest.mark.usefixtures("state_table")

HOUR: Final = 3600
OLD: Final = BORN - 9999
DAMAGED_AT: Final = BORN + HOUR
GOOD: Final = '{"flow_logs": {"grace_minutes": 0}}'
TYPO: Final = '{"flow_log": {}}'
OTHERS: Final = "fl-others"
READ: Final = (
    INCIDENTS, UNSENT, WORK_ITEMS, SWEEP_CURSOR, MANAGED_FLOW_LOGS, CREATIONS, KNOWN_FLOW_LOGS,
    DELETED_FLOW_LOGS, DELETION_CALLS, LAST_GOOD_POLICY,
)  # fmt: skip
"""The kinds of item that the enforcer reads, without heartbeats, which the monitor writes."""
CONTENTS: Final = ("content", "report")
"""The members with a JSON document, and with the policy."""
VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    int(FAR),
    10**30,
    1.5,
    "",
    HOSTILE[:80],
    [],
    ["x"],
    {},
    {"x": {}},
)
"""The values that replace a member of a document; it may also be missing."""
MISSING: Final = object()
_attempts = count()


def ec2() -> FakeEc2:
    """A drifted managed flow log and its replacement; one of others; a VPC whose calls are throttled."""
    alternate = DESIRED.alternate_destination
    assert alternate is not None
    flow_logs = [
        existing(flow_log_id="fl-old", log_format="${version}", creation_time=OLD),
        wanted("fl-new", "vpc-1", alternate, OLD),
        existing("vpc-2", flow_log_id=OTHERS, log_group_name="theirs", tags={}, creation_time=OLD),
    ]
    return FakeEc2(own("vpc-1", "vpc-2", "vpc-3", "vpc-4"), flow_logs, create_faults={"vpc-3": THROTTLED})


@dataclass
class OnTable:
    """The enforcer with all its state in the table; EC2 and the sink are fakes."""

    fakes: Fakes = field(default_factory=lambda: Fakes(ec2=ec2()))
    counted: int = 0
    """The number of unreadable parts, in all runs."""
    claims_in_table: bool = True
    """Whether the incidents are in the table: nothing else reads them, and each costs several calls."""

    def run(self, trigger: Trigger, now: int, policy: str = GOOD) -> Origin:
        """A run in a new container, with its report; returns which policy it used."""
        notes, table = Unreadable(), dynamodb()
        self.fakes.clock.left = 300
        ports = replace(
            self.fakes.aws(),
            evidence=DynamoDbEvidence(table, TABLE, notes),
            queue=DynamoDbWorkQueue(table, TABLE, notes),
            registry=DynamoDbRegistry(table, TABLE, notes),
            outbox=DynamoDbOutbox(table, TABLE, notes),
            unreadable_items=notes,
        )
        if self.claims_in_table:
            ports = replace(ports, claims=DynamoDbClaims(table, TABLE, TERMS, notes))
        recorder = PolicyRecorder.choosing(policy, DynamoDbPolicy(table, TABLE, notes))
        in_use = recorder.in_use
        plans = in_use.origin is Origin.DEFAULT
        service = Enforcer(ports, in_use.policy.flow_logs, STACK, dry_run=plans, policy_recorder=recorder)
        report = service.reconcile(replace(trigger, idempotency_key=f"{trigger.kind} at {now}"), now)
        delivery = service.notify(report, f"attempt {next(_attempts)}", now)
        self.counted += report.unreadable_items.count + service.take_notes().count
        delivery.raise_if_unsent()
        report.raise_if_incomplete()
        return in_use.origin

    def settle(self) -> None:
        """A retry and a sweep after the damage; vpc-3 is no longer throttled."""
        self.ec2.create_faults = {}
        self.run(RETRY, DAMAGED_AT)
        self.run(SWEEP, DAMAGED_AT + 8 * HOUR)

    @property
    def ec2(self) -> FakeEc2:
        """EC2."""
        assert isinstance(self.fakes.ec2, FakeEc2)
        return self.fakes.ec2


@cache
def left() -> list[dict[str, Any]]:
    """The items that runs leave if their report cannot be sent, with a cursor and a reported deletion."""
    empty()
    account = OnTable()
    registry = DynamoDbRegistry(dynamodb(), TABLE)
    for each in account.fakes.registry.of(ManagedFlowLog):
        registry.put(replace(each, at=OLD))
    account.ec2.create_faults["vpc-4"] = THROTTLED
    account.run(SWEEP, BORN)
    account.fakes.sink.away = True
    account.ec2.create_faults.pop("vpc-4")
    with pytest.raises(PublishFailed):
        account.run(SWEEP, BORN + 600)
    DynamoDbWorkQueue(dynamodb(), TABLE).put_cursor(Cursor(after="vpc-1"), BORN)
    caller = ApiCaller(event_name="DeleteFlowLogs", event_id="d1", actor=EVE)
    registry.put(DeletedFlowLog(flow_log_id="fl-gone", vpc_id="vpc-2", at=BORN, caller=caller))
    registry.put(DeletionCall(call_id="d2", at=BORN, caller=caller, flow_log_ids=("fl-x", "fl-y")))
    registry.put(KnownFlowLog(flow_log_id=OTHERS, resource_ids=("vpc-2",), vpc_id="vpc-2", at=OLD))
    registry.put(Creation(client_token="token", vpc_id="vpc-2", flow_log=DESIRED, at=BORN))  # noqa: S106
    registry.put(ManagedFlowLog(flow_log_id="fl-old", vpc_id="vpc-1", at=OLD))
    DynamoDbPolicy(dynamodb(), TABLE).keep(GOOD, BORN)
    return items()


def begin() -> list[dict[str, Any]]:
    """Replace the content of the table with these items; returns them."""
    fill(left())
    return left()


def kind_of(item: dict[str, Any]) -> Any:
    """The row of the schema of an item."""
    key = item["sk"]["S"] if any(item["pk"]["S"] == each.partition for each in ITEMS) else item["pk"]["S"]
    return next(each for each in ITEMS if key.startswith(each.prefix))


def damaged_by_document(item: dict[str, Any], name: str, value: Any) -> None:
    """Store the item with another value of a member of its document."""
    content = next(each for each in CONTENTS if each in item)
    document = {member: each for member, each in json.loads(item[content]["S"]).items() if member != name}
    if value is not MISSING:
        document[name] = value
    restore(item | {content: {"S": json.dumps(document)}})


def assert_sound(account: OnTable) -> None:
    """Nothing of others is deleted, and every VPC has its flow log."""
    assert {*account.ec2.deleted} <= {"fl-old"}
    assert OTHERS in {each.flow_log_id for each in account.ec2.existing}
    covered = {each.resource_id for each in account.ec2.existing if each.log_group_name != "theirs"}
    assert covered == {"vpc-1", "vpc-2", "vpc-3", "vpc-4"}


def test_the_runs_leave_every_kind_of_item() -> None:
    """Otherwise the tests below would damage less than the enforcer reads."""
    assert {kind_of(each).name for each in begin()} == {each.name for each in READ}


def test_without_damage_nothing_is_counted_and_everything_is_reported() -> None:
    """The old flow log is deleted, and the lost report is sent."""
    begin()
    account = OnTable()
    account.settle()
    assert_sound(account)
    assert account.counted == 0
    assert account.ec2.deleted == ["fl-old"]
    assert any("fl-gone" in each.text for each in account.fakes.sink.sent)


@examples(0.15)
@given(st.sampled_from(sorted(DAMAGE)), st.data())
def test_no_damage_to_a_member_fails_a_run_or_deletes_anything_of_others(
    kind: str, data: st.DataObject
) -> None:
    """An unreadable document is counted."""
    item = data.draw(st.sampled_from(begin()))
    member = data.draw(st.sampled_from(sorted(members(item))))
    damage(item, member, kind)
    account = OnTable(claims_in_table=kind_of(item) is INCIDENTS)
    account.settle()
    assert_sound(account)
    if member in CONTENTS and kind_of(item) is not LAST_GOOD_POLICY:
        assert account.counted > 0


@examples(0.15)
@given(st.sampled_from([MISSING, *VALUES]), st.data())
def test_no_damage_within_a_document_fails_a_run_or_deletes_anything_of_others(
    value: Any, data: st.DataObject
) -> None:
    """A member is missing, of another type, or impossible; one of another type is counted."""
    documents = [each for each in begin() if kind_of(each) is not LAST_GOOD_POLICY]
    documents = [each for each in documents if {*CONTENTS} & each.keys()]
    item = data.draw(st.sampled_from(documents))
    content = next(each for each in CONTENTS if each in item)
    name = data.draw(st.sampled_from(sorted(json.loads(item[content]["S"]))))
    damaged_by_document(item, name, value)
    account = OnTable(claims_in_table=kind_of(item) is INCIDENTS)
    account.settle()
    assert_sound(account)
    if value == {"x": {}}:
        assert account.counted > 0


@pytest.mark.matrix(4)
@pytest.mark.parametrize("item", READ, ids=lambda item: item.name)
def test_each_kind_of_item_with_other_types_is_counted(item: Any) -> None:
    """Each member of an item at once; a run that needs the last good policy only plans without it."""
    for each in begin():
        if kind_of(each) is item:
            restore(
                {name: value if name in {"pk", "sk"} else DAMAGE["bytes"] for name, value in each.items()}
            )
    account = OnTable(claims_in_table=item is INCIDENTS)
    if item is LAST_GOOD_POLICY:
        assert account.run(SWEEP, DAMAGED_AT, TYPO) is Origin.DEFAULT
    account.settle()
    assert_sound(account)
    assert account.counted > 0


@pytest.mark.parametrize("kind", ["odd numbers", "texts"])
def test_damaged_heartbeats_verify_nothing_and_delete_nothing_of_others(kind: str) -> None:
    """The enforcer does not trust the items of the monitor either."""
    begin()
    for key in heartbeats.keys([DAMAGED_AT // 1800]):
        restore({"pk": {"S": key}, "sk": {"S": "sets"}, "interfaces": DAMAGE[kind]})
    account = OnTable(claims_in_table=False)
    account.settle()
    assert_sound(account)
