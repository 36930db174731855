"""The fuzzer damages the members that the adapters store and that the handlers read of events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from moto import mock_aws

from benchmarks.fuzz.events import RARE
from benchmarks.fuzz.table import documents, known_role, singles
from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.formats import DynamoDbLogFormats
from flowwarden.aws.dynamodb.mute_editing import DynamoDbMuteEditor
from flowwarden.aws.dynamodb.outbox import DynamoDbOutbox
from flowwarden.aws.dynamodb.page_budget import DynamoDbPageBudget
from flowwarden.aws.dynamodb.policy import DynamoDbPolicy
from flowwarden.aws.dynamodb.registry import DynamoDbRegistry
from flowwarden.aws.dynamodb.roles import DynamoDbRoles
from flowwarden.aws.dynamodb.rule_changes import DynamoDbRuleChanges
from flowwarden.aws.dynamodb.work_queue import DynamoDbWorkQueue
from flowwarden.enforcer.creation import Creation, ManagedFlowLog
from flowwarden.enforcer.deletion_call import DeletionCall
from flowwarden.enforcer.outbox import Unsent
from flowwarden.enforcer.registry import DeletedFlowLog, KnownFlowLog
from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers import trigger
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from flowwarden.enforcer.work_queue import Cursor, WorkItem
from flowwarden.monitor.baseline.known_roles import KnownRole, networks_of
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import ClaimKey, ClaimTerms, Owner
from flowwarden.notify.notification import Notification
from flowwarden.notify.page_budget import Page, PageLimits
from flowwarden.policy.made_mutes import MadeMute, id_of
from flowwarden.policy.mutes import Mute
from flowwarden.records.format_choice import LearnedFormats
from flowwarden.state.rule_changes import RuleChange
from flowwarden.state.schema import (
    INCIDENTS,
    ITEMS,
    KNOWN_ROLES,
    LAST_GOOD_POLICY,
    LOG_FORMATS,
    PAGE_BUDGET,
    ROLES,
)
from flowwarden.state.sets import DAY
from tests.aws.clients import make_state_table
from tests.aws.dynamodb.damage import TABLE, dynamodb, items, members
from tests.enforcer.fakes import STACK
from tests.functions.test_enforcer_events import EVENTS, read

NOW: Final = 1_764_000_000
ALONE: Final = INCIDENTS, PAGE_BUDGET, LOG_FORMATS, LAST_GOOD_POLICY
"""The items without sets that are not in a partition."""


@pytest.fixture(scope="module")
def stored() -> Iterator[list[dict[str, Any]]]:
    """Every item without sets that the adapters store, each claim in each of its states."""
    with mock_aws():
        make_state_table(TABLE)
        store_alone()
        store_partitions()
        yield items()


def store_alone() -> None:
    """Claims that are sent, pending and repeated; pages; formats; a policy."""
    claims = DynamoDbClaims(dynamodb(), TABLE, ClaimTerms(suppression=3600, lease=50))
    for incident in ("sent", "pending"):
        claims.claim(ClaimRequest(ClaimKey("sns", incident), Owner("batch", "attempt"), NOW))
    claims.confirm(ClaimRequest(ClaimKey("sns", "sent"), Owner("batch", "attempt"), NOW))
    claims.claim(ClaimRequest(ClaimKey("sns", "sent"), Owner("other", "attempt"), NOW + 1))
    budget = DynamoDbPageBudget(dynamodb(), TABLE, PageLimits(hour=1, day=1, critical_hour=1))
    for critical in (False, True):
        budget.take(Page(key=ClaimKey("sns", "sent"), last_sent=None, critical=critical), NOW)
    formats = DynamoDbLogFormats(dynamodb(), TABLE)
    formats.take_turn("/flow-logs", NOW, 60)
    formats.keep("/flow-logs", LearnedFormats(formats=("${srcaddr}",), unreported=False, at=NOW))
    DynamoDbPolicy(dynamodb(), TABLE).keep("{}", NOW)


def store_partitions() -> None:
    """The work queue, the outbox, the registry, a mute and a role."""
    queue, registry = DynamoDbWorkQueue(dynamodb(), TABLE), DynamoDbRegistry(dynamodb(), TABLE)
    queue.put(WorkItem(vpc_id="vpc-1", due=NOW, reason="throttled"))
    queue.put_cursor(Cursor(after="vpc-1"), NOW)
    page = Notification(subject="s", text="t", document={"kind": "x"}, attributes={"kind": "x"})
    DynamoDbOutbox(dynamodb(), TABLE).put(Unsent(key="k", batch="b", notification=page), NOW)
    flow_log = DesiredFlowLog(destination="/flow-logs", log_format="${srcaddr}")
    registry.put(Creation(client_token="t", vpc_id="vpc-1", flow_log=flow_log, at=NOW))  # noqa: S106
    registry.put(ManagedFlowLog(flow_log_id="fl-1", vpc_id="vpc-1", at=NOW))
    registry.put(KnownFlowLog(flow_log_id="fl-2", resource_ids=("vpc-1",), at=NOW))
    registry.put(DeletedFlowLog(flow_log_id="fl-3", at=NOW))
    caller = ApiCaller(event_name="DeleteFlowLogs")
    registry.put(DeletionCall(call_id="d1", at=NOW, caller=caller, flow_log_ids=("fl-4",)))
    mute = Mute(detector="scan", until="2026-01-01", reason="x")
    DynamoDbMuteEditor(dynamodb(), TABLE).put(MadeMute(id=id_of(mute), mute=mute))
    change = RuleChange(resource="sg-1", call="RevokeSecurityGroupIngress", call_id="e1", at=NOW)
    DynamoDbRuleChanges(dynamodb(), TABLE).store([change])
    role = KnownRole(role="r", known=NOW // DAY, networks=networks_of(["10.0.1.5"]), expires_at=NOW)
    DynamoDbRoles(dynamodb(), TABLE).put(role)


@pytest.mark.parametrize("kind", ALONE, ids=lambda kind: kind.name)
def test_exactly_the_members_of_an_item_are_damaged(kind: Any, stored: list[dict[str, Any]]) -> None:
    """So the fuzzer cannot miss a new or renamed member."""
    of_kind = [each for each in stored if each["pk"]["S"].startswith(kind.prefix)]
    assert of_kind
    assert singles(NOW)[kind.prefix].keys() == {name for each in of_kind for name in members(each)}


def test_every_item_of_a_partition_is_damaged_where_its_document_is(stored: list[dict[str, Any]]) -> None:
    """The fuzzer knows every kind of item, and the member that contains its document."""
    kinds = [each for each in ITEMS if each.partition and not each.sets]
    damaged = {
        (partition, _kind(key), name) for partition, found in documents(NOW).items() for key, name, _ in found
    }
    written = {
        (each["pk"]["S"], _kind(each["sk"]["S"]), name)
        for each in stored
        if each["pk"]["S"] in {kind.partition for kind in kinds}
        for name in members(each)
        if name != "expires_at"
    }
    assert damaged == written
    assert {(partition, prefix) for partition, prefix, _ in damaged} == {
        (kind.partition, kind.prefix) for kind in kinds
    }


def test_exactly_the_members_of_a_known_role_are_damaged(stored: list[dict[str, Any]]) -> None:
    """The only kind of item with sets in a partition."""
    assert [each for each in ITEMS if each.partition and each.sets] == [KNOWN_ROLES]
    (role,) = (each for each in stored if each["pk"]["S"] == ROLES)
    assert known_role(NOW).keys() - {"sk"} == {*members(role)}


def test_no_kind_of_item_is_left_out() -> None:
    """Items of sets have the members of their row in the schema."""
    alone = {each.prefix for each in ITEMS if not each.partition and not each.sets}
    assert singles(NOW).keys() - {""} == alone == {each.prefix for each in ALONE}


def _kind(key: str) -> str:
    """The prefix of a sort key."""
    return next(each.prefix for each in ITEMS if each.partition and key.startswith(each.prefix))


class Noting(dict[str, Any]):
    """A JSON object that notes which of its members are read, by the path from the event."""

    def __init__(self, value: dict[str, Any], path: str, wanted: set[str]) -> None:
        super().__init__({name: noting(each, f"{path}.{name}", wanted) for name, each in value.items()})
        self._path, self._wanted = path, wanted

    def get(self, name: str, default: Any = None) -> Any:
        """Note the member."""
        self._wanted.add(f"{self._path}.{name}")
        return super().get(name, default)


def noting(value: Any, path: str, wanted: set[str]) -> Any:
    """A JSON value whose objects note what is read."""
    if isinstance(value, dict):
        return Noting(value, path, wanted)
    return [noting(each, f"{path}[]", wanted) for each in value] if isinstance(value, list) else value


def paths(value: Any, path: str) -> Iterator[str]:
    """The paths of all members."""
    for each in value if isinstance(value, list) else ():
        yield from paths(each, f"{path}[]")
    for name, each in value.items() if isinstance(value, dict) else ():
        yield f"{path}.{name}"
        yield from paths(each, f"{path}.{name}")


def test_each_member_that_is_read_of_events_is_in_an_example_or_added() -> None:
    """The fuzzer changes members of examples, so it changes every member that is read."""
    wanted, found = set[str](), set[str]()
    stack: Stack = STACK
    for path in EVENTS:
        event = read(path)["event"]
        trigger.read(noting(event, path.stem, wanted), stack)
        found |= {each.partition(".")[2] for each in paths(event, path.stem)}
    read_of_events = {each.partition(".")[2] for each in wanted}
    added = {".".join(path) for path, _ in RARE}
    assert read_of_events - found == added
