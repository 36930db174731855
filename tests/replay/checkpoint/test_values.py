"""Values of the state: the same ones come back, others are refused, and nothing from a file is run."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.bootstrap.replay_state import KINDS
from flowwarden.memory.claim_item import MemoryItem
from flowwarden.monitor.baseline.baseline import Baseline, Edge
from flowwarden.monitor.caches.digests import HourOfDigest
from flowwarden.monitor.caches.heartbeats import GroupHeartbeats
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import ClaimKey, Owner
from flowwarden.notify.notification import Composed, Notification
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from flowwarden.replay.checkpoint.kinds import Unstorable, Unusable
from flowwarden.replay.checkpoint.values import decoded, encoded
from tests.examples import examples

LEAVES: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**200), 2**200),
    st.floats(allow_nan=False),
    st.text(st.characters()),
    st.binary(max_size=9),
    st.sampled_from(Route),
    st.builds(ClaimKey, st.text(max_size=3), st.text(max_size=3)),
    st.builds(Edge, st.just("out"), st.integers(), st.integers(), st.text(max_size=3)),
)
VALUES: Final = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.sets(LEAVES, max_size=4),
        st.frozensets(st.integers(), max_size=4),
        st.dictionaries(LEAVES, inner, max_size=4),
        st.dictionaries(LEAVES, st.integers(), max_size=4).map(Counter),
    ),
    max_leaves=12,
)


def back(value: object) -> Any:
    """The value, from its bytes."""
    return decoded(encoded(value, KINDS), KINDS)


def typed(value: Any) -> Any:
    """A value with the types of all its parts, and the order of dictionaries."""
    kind = type(value)
    if isinstance(value, dict):
        return kind, tuple((typed(key), typed(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return kind, tuple(map(typed, value))
    return (kind, {*map(typed, value)}) if isinstance(value, set | frozenset) else (kind, value)


@examples(3)
@given(VALUES)
def test_values_come_back_with_their_types_and_order(value: object) -> None:
    """Numbers of any size, texts that UTF-8 does not allow, and 1 apart from true."""
    assert typed(back(value)) == typed(value)


def test_objects_come_back() -> None:
    """Those of data classes and of the classes of the table, also if a class would change its values."""
    item = MemoryItem(Owner("batch", "1"), 7, suppressed_batches={"a"})
    assert back(item) == item
    whole = Notification(
        subject="s", text="t\n", document={"lines": Composed.of(["a", "b"]), "x": [1]}, attributes={}
    )
    assert typed(back(whole).document) == typed(whole.document)
    baseline = Baseline(9, {1: [5, 6], 2: [5]}, refuses=True)
    assert vars(back(baseline)).keys() == vars(baseline).keys()
    assert back(baseline).days == 2
    numbers = np.array([[1, 2], [3, 4]], np.uint16)
    assert back(numbers).dtype == numbers.dtype
    assert (back(numbers) == numbers).all()
    assert typed(back(np.int64(5))) == typed(np.int64(5))


def test_an_object_at_two_places_is_one_object() -> None:
    """Log groups with the same log formats share a reader."""
    reader = ColumnarReader([DEFAULT_LOG_FORMAT])
    number = reader.vocabulary["10.0.0.1"]
    one, other, heartbeats = back([reader, reader, GroupHeartbeats(4)])
    assert one is other
    assert one.vocabulary["10.0.0.1"] == number
    assert heartbeats.judged == 3


@dataclass
class Foreign:
    """A class of another package."""

    value: int


class Color(Enum):
    """Another one."""

    RED = 1


@pytest.mark.parametrize(
    "value",
    [
        Foreign(1),
        object(),
        print,
        datetime(2026, 1, 1, tzinfo=UTC),
        np.array([None]),
        [defaultdict(list)],
        Color.RED,
    ],
)
def test_what_cannot_be_stored_is_refused(value: object) -> None:
    """And not left out."""
    with pytest.raises(Unstorable):
        encoded([value], KINDS)


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "builtins:eval",
        "subprocess:Popen",
        "flowwarden.bootstrap.replay:stack",
        "flowwarden.replay.checkpoint.kinds:sys.modules",
        "flowwarden.memory.claims:MemoryClaims.claim",
        "flowwarden.replay.replay:Replay",
        "flowwarden.not_loaded:Anything",
        "flowwarden",
    ],
)
def test_no_other_class_or_function_is_taken_from_a_file(name: str) -> None:
    """Only data classes of the package."""
    for tag in range(16):
        with pytest.raises(Unusable):
            decoded(msgspec.msgpack.encode([[name], [tag, 0, ["true"]]]), KINDS)


@pytest.mark.parametrize("kind", [GroupHeartbeats, HourOfDigest])
def test_a_class_that_is_stored_by_its_attributes_is_not_called(kind: type) -> None:
    """With an argument that the file chooses."""
    name = f"{kind.__module__}:{kind.__qualname__}"
    for tag, content in ((8, 4), (11, 4), (9, [4])):
        with pytest.raises(Unusable, match="is stored in another way"):
            decoded(msgspec.msgpack.encode([[name], [tag, 0, content]]), KINDS)


@examples(5)
@given(st.binary(max_size=40), st.integers(0), st.binary(min_size=1, max_size=3))
def test_damaged_content_is_refused_or_is_a_value(noise: bytes, place: int, other: bytes) -> None:
    """And never another error."""
    whole = encoded([ClaimKey("a", "b"), {1: {2}}, np.zeros(2), 2**70], KINDS)
    at = place % len(whole)
    for content in (noise, whole[:at], whole[:at] + other + whole[at + 1 :]):
        try:
            decoded(content, KINDS)
        except Unusable:
            continue
