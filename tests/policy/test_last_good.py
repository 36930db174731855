"""The last good policy: an invalid policy does not stop a function."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from flowwarden.aws.dynamodb.policy import DynamoDbPolicy
from flowwarden.errors import StateUnavailable
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.policy.last_good import Origin, PolicyRecorder, PolicyStore, choose
from flowwarden.policy.policy import Policy
from flowwarden.state.schema import LAST_GOOD_POLICY
from tests.aws.clients import client, make_state_table
from tests.examples import examples
from tests.policy.fakes import MemoryPolicy

GOOD, OTHER = '{"exempt": ["10.0.9.9"]}', '{"exempt": ["10.0.9.8"]}'
TYPO = '{"exemt": ["10.0.9.9"]}'
NOW, TABLE = 1_764_000_000, "state"
CLAIMED = Claim(state=ClaimState.CLAIMED)


@pytest.fixture(params=["dynamodb", "memory"])
def store(request: pytest.FixtureRequest) -> Iterator[PolicyStore]:
    """Both implementations of the port."""
    if request.param == "memory":
        yield MemoryPolicy()
        return
    with mock_aws():
        make_state_table(TABLE)
        yield DynamoDbPolicy(client("dynamodb"), TABLE)


def test_the_store_returns_the_latest_text(store: PolicyStore) -> None:
    """At first there is none."""
    assert store.load() is None
    store.keep(GOOD, NOW)
    store.keep(OTHER, NOW + 1)
    assert store.load() == OTHER


def test_the_item_never_expires() -> None:
    """A stack may run for years with one policy."""
    with mock_aws():
        make_state_table(TABLE)
        DynamoDbPolicy(client("dynamodb"), TABLE).keep(GOOD, NOW)
        (item,) = client("dynamodb").scan(TableName=TABLE)["Items"]
    assert "expires_at" not in item


@pytest.mark.parametrize("content", [{"N": "1"}, {"L": []}, {"M": {}}, {"NULL": True}, None])
def test_a_damaged_item_counts_as_none(content: dict[str, object] | None) -> None:
    """The next deployment replaces it."""
    with mock_aws():
        make_state_table(TABLE)
        partition, sort = LAST_GOOD_POLICY.address()
        item = {"pk": {"S": partition}, "sk": {"S": sort}} | ({"content": content} if content else {})
        client("dynamodb").put_item(TableName=TABLE, Item=item)
        assert DynamoDbPolicy(client("dynamodb"), TABLE).load() is None


def test_a_table_that_does_not_answer_is_reported() -> None:
    """As for every other item."""
    with mock_aws(), pytest.raises(StateUnavailable):
        DynamoDbPolicy(client("dynamodb"), TABLE).load()


def test_a_valid_policy_is_used_without_a_call() -> None:
    """The state table is not needed for it."""
    store = MemoryPolicy(OTHER, away=True)
    in_use = choose(GOOD, store)
    assert (in_use.policy, in_use.origin, in_use.problem, in_use.is_final) == (
        Policy.from_json(GOOD),
        Origin.CONFIGURED,
        "",
        True,
    )
    assert store.calls == []


def test_an_invalid_policy_is_replaced_by_the_last_good_one() -> None:
    """The problem is kept for the report."""
    in_use = choose(TYPO, MemoryPolicy(GOOD))
    assert (in_use.policy, in_use.origin, in_use.is_final) == (Policy.from_json(GOOD), Origin.LAST_GOOD, True)
    assert "exemt: unknown setting" in in_use.problem


@pytest.mark.parametrize("stored", [None, "", "{", TYPO, "[]", '{"exempt": ["0.0.0.0/0"]}'])
def test_without_a_usable_one_the_default_is_used(stored: str | None) -> None:
    """The stored one may be of another version, or damaged."""
    in_use = choose(TYPO, MemoryPolicy(stored))
    assert (in_use.policy, in_use.origin, in_use.is_final) == (Policy(), Origin.DEFAULT, True)


def test_a_table_that_does_not_answer_is_asked_again_at_the_next_event() -> None:
    """Until then the default is used."""
    in_use = choose(TYPO, MemoryPolicy(GOOD, away=True))
    assert (in_use.policy, in_use.origin, in_use.is_final) == (Policy(), Origin.DEFAULT, False)


@examples(1)
@given(st.text() | st.just(GOOD), st.none() | st.text() | st.just(OTHER))
def test_every_policy_and_every_item_leads_to_a_policy(text: str, stored: str | None) -> None:
    """No text is an error, and a problem is stated exactly if the configured policy is not used."""
    in_use = choose(text, MemoryPolicy(stored))
    assert bool(in_use.problem) is (in_use.origin is not Origin.CONFIGURED)


def test_the_configured_policy_is_stored_once_after_its_use() -> None:
    """A container reads once; it writes only what differs."""
    store = MemoryPolicy(OTHER)
    policy_recorder = PolicyRecorder.choosing(GOOD, store)
    assert store.calls == []
    for later in range(3):
        policy_recorder.keep(NOW + later)
    assert (store.text, store.calls) == (GOOD, ["load", "keep"])
    PolicyRecorder.choosing(GOOD, store).keep(NOW)
    assert store.calls == ["load", "keep", "load"]


@pytest.mark.parametrize("stored", [None, GOOD])
def test_a_policy_that_replaces_an_invalid_one_is_not_stored(stored: str | None) -> None:
    """Otherwise the default would become the last good one."""
    store = MemoryPolicy(stored)
    PolicyRecorder.choosing(TYPO, store).keep(NOW)
    assert (store.text, store.calls) == (stored, ["load"])


def test_storing_is_repeated_after_a_pause_if_the_table_does_not_answer() -> None:
    """Not at every event, because each failed call takes seconds."""
    store = MemoryPolicy(away=True)
    policy_recorder = PolicyRecorder.choosing(GOOD, store)
    for second in (0, 10, 299):
        policy_recorder.keep(NOW + second)
    assert store.calls == ["load"]
    store.away = False
    policy_recorder.keep(NOW + 300)
    assert store.text == GOOD


def test_the_alert_names_the_error_the_policy_in_use_and_what_to_do() -> None:
    """It can wait while the state table is unavailable, because each event would repeat it."""
    (alert,) = PolicyRecorder.choosing(TYPO, MemoryPolicy(GOOD)).alerts("111122223333", "eu-west-1")
    sent = alert.notification(CLAIMED)
    assert "last good one is used in 111122223333 eu-west-1" in sent.subject
    assert "exemt: unknown setting" in sent.text
    assert "did you mean exempt?" in sent.text
    assert "flowwarden policy check" in sent.text
    assert sent.document["used"] == "last-good"
    assert alert.can_wait
    (alert,) = PolicyRecorder.choosing(TYPO, MemoryPolicy()).alerts("111122223333", "eu-west-1")
    assert "the default one is used" in alert.title
    assert PolicyRecorder.choosing(GOOD, MemoryPolicy()).alerts("111122223333", "eu-west-1") == []


@examples(1)
@given(st.text(max_size=2000))
def test_the_alert_about_any_text_is_bounded_and_printable(text: str) -> None:
    """The policy's names and values appear in it."""
    for alert in PolicyRecorder.choosing(text, MemoryPolicy()).alerts("111122223333", "eu-west-1"):
        sent = alert.notification(CLAIMED)
        assert sent.subject.isprintable()
        assert all(line.isprintable() for line in sent.text.split("\n"))
        assert len(sent.text) < 2000
