"""Learned log formats in the state table: DynamoDB (on moto) and the fake behave the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from flowwarden.aws.dynamodb.formats import DynamoDbLogFormats
from flowwarden.errors import StateUnavailable
from flowwarden.monitor.ports import LogFormatStore
from flowwarden.records.format_choice import LearnedFormats
from flowwarden.state.schema import LOG_FORMATS
from tests.aws.clients import client, make_state_table, shared
from tests.monitor.fakes_log_formats import MemoryLogFormats

NOW, WAIT = 1_764_000_000, 300
GROUP, OTHER = "/flow-warden/flow-logs", "/other"
TABLE = "state"
LEARNED = LearnedFormats(("${srcaddr} ${dstaddr}", "${version} ${srcaddr}"), unreported=True, at=NOW)


@pytest.fixture(params=["dynamodb", "memory"])
def memory(request: pytest.FixtureRequest) -> Iterator[LogFormatStore]:
    """Both implementations of the port."""
    if request.param == "memory":
        yield MemoryLogFormats()
        return
    with mock_aws():
        make_state_table(TABLE)
        yield DynamoDbLogFormats(shared("dynamodb"), TABLE)


@pytest.mark.parametrize("learned", [LEARNED, LearnedFormats((), unreported=False, at=NOW)])
def test_stored_formats_are_recalled(memory: LogFormatStore, learned: LearnedFormats) -> None:
    """Including an empty result; log groups are independent."""
    memory.keep(GROUP, learned)
    assert memory.recall(GROUP) == learned
    assert memory.recall(OTHER) is None


def test_the_formats_stored_last_are_recalled(memory: LogFormatStore) -> None:
    """Formats may disappear, too."""
    memory.keep(GROUP, LEARNED)
    memory.keep(GROUP, LearnedFormats(("${version}",), unreported=False, at=NOW + 1))
    assert memory.recall(GROUP) == LearnedFormats(("${version}",), unreported=False, at=NOW + 1)


def test_an_item_of_another_version_counts_as_missing() -> None:
    """Its formats are learned again, and the item is replaced."""
    with mock_aws():
        make_state_table(TABLE)
        dynamodb = shared("dynamodb")
        partition, sort = LOG_FORMATS.address(GROUP)
        dynamodb.put_item(
            TableName=TABLE,
            Item={
                "pk": {"S": partition},
                "sk": {"S": sort},
                "formats": {"L": []},
                "learned_at": {"N": str(NOW)},
            },
        )
        memory = DynamoDbLogFormats(dynamodb, TABLE)
        assert memory.recall(GROUP) is None
        memory.keep(GROUP, LEARNED)
        assert memory.recall(GROUP) == LEARNED


def test_one_caller_has_the_turn_until_it_ends(memory: LogFormatStore) -> None:
    """Not one second earlier; log groups are independent."""
    assert memory.take_turn(GROUP, NOW, WAIT)
    assert not memory.take_turn(GROUP, NOW, WAIT)
    assert memory.take_turn(OTHER, NOW, WAIT)
    assert not memory.take_turn(GROUP, NOW + WAIT - 1, WAIT)
    assert memory.take_turn(GROUP, NOW + WAIT, WAIT)


def test_a_turn_without_a_result_changes_nothing(memory: LogFormatStore) -> None:
    """Its caller may have failed; formats learned before stay."""
    memory.take_turn(GROUP, NOW, WAIT)
    assert memory.recall(GROUP) is None
    memory.keep(GROUP, LEARNED)
    memory.take_turn(GROUP, NOW + WAIT, WAIT)
    assert memory.recall(GROUP) == LEARNED


def test_items_expire_a_week_after_their_last_update() -> None:
    """`expires_at` is the table's TTL attribute: epoch seconds, a number."""
    with mock_aws():
        make_state_table(TABLE)
        memory = DynamoDbLogFormats(shared("dynamodb"), TABLE)
        memory.take_turn(GROUP, NOW, WAIT)
        memory.keep(GROUP, LEARNED)
        (item,) = shared("dynamodb").scan(TableName=TABLE)["Items"]
    assert (item["pk"], item["sk"]) == ({"S": f"log-formats#{GROUP}"}, {"S": "formats"})
    assert item["expires_at"] == {"N": str(NOW + LOG_FORMATS.ttl)}


@pytest.mark.parametrize("code", ["ThrottlingException", "ResourceNotFoundException"])
@pytest.mark.parametrize(
    ("method", "use"),
    [
        ("get_item", lambda memory: memory.recall(GROUP)),
        ("update_item", lambda memory: memory.take_turn(GROUP, NOW, WAIT)),
        ("update_item", lambda memory: memory.keep(GROUP, LEARNED)),
    ],
)
def test_a_refused_call_raises_state_unavailable(
    code: str, method: str, use: Callable[[LogFormatStore], object]
) -> None:
    """The service continues without the table; the message names it."""
    stubbed = client("dynamodb")
    with Stubber(stubbed) as stub:
        stub.add_client_error(method, service_error_code=code)
        with pytest.raises(StateUnavailable, match=f"table state: .*{code}"):
            use(DynamoDbLogFormats(stubbed, TABLE))
