"""Ports that count what AWS bills: units of the state table, published messages, bytes of a log."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from benchmarks.evaluation.memory import Evidence
from flowwarden.aws.dynamodb.table import MOST_KEYS
from flowwarden.policy.made_mutes import MadeMute
from flowwarden.state.digests import NOTHING, Content
from flowwarden.state.sets import Addition, Sets

WRITE_UNIT: Final = 1024
READ_UNIT: Final = 4096
EVENT_BYTES: Final = 26
"""Bytes that CloudWatch Logs bills for each event beside its text (Amazon CloudWatch pricing)."""
INDEX: Final = ("open", "check_at")


class Meter(Struct):
    """What was used until now."""

    write_units: float = 0
    read_units: float = 0
    table_calls: int = 0
    publishes: int = 0

    def __sub__(self, other: Meter) -> Meter:
        """What was used since."""
        return Meter(**{name: getattr(self, name) - getattr(other, name) for name in self.__struct_fields__})

    def copy(self) -> Meter:
        """The same figures, which do not grow."""
        return self - Meter()


def units(size: int, unit: int) -> int:
    """The billed units of an item of this size in bytes; a missing item counts as one."""
    return max(1, -(-size // unit))


class Table(Evidence):
    """The sets of the state table in memory."""

    def __init__(self, meter: Meter, items: dict[str, tuple[int, Sets]]) -> None:
        """`items` is shared with the other tables on the same items."""
        super().__init__()
        self._meter = meter
        self.items = items

    def add(self, addition: Addition) -> Sets:
        """See the port."""
        before = self.writes
        sets = super().add(addition)
        self._meter.table_calls += 1
        self._meter.write_units += self.writes - before
        return sets

    def read(self, keys: Sequence[str]) -> Mapping[str, Sets]:
        """See the port. The reads are eventually consistent: half a unit for each 4 KB."""
        found = super().read(keys)
        sizes = (sum(8 * len(each) for each in found.get(key, {}).values()) for key in keys)
        self._meter.read_units += sum(units(size, READ_UNIT) / 2 for size in sizes)
        self._meter.table_calls += -(-len(keys) // MOST_KEYS)
        return found


class Client:
    """A client of DynamoDB that counts the units of the calls for incidents, and has no others."""

    def __init__(self, client: Any, meter: Meter, due: dict[str, int]) -> None:  # noqa: ANN401 -- boto3's
        """`due` gets the time at which each open incident is due (Unix seconds), by its key."""
        self._client = client
        self._meter = meter
        self._due = due

    def get_item(self, **arguments: Any) -> Any:  # noqa: ANN401 -- as boto3
        """Read an item consistently: a unit for each 4 KB."""
        answer = self._client.get_item(**arguments)
        self._meter.table_calls += 1
        self._meter.read_units += units(size_of(answer.get("Item", {})), READ_UNIT)
        return answer

    def query(self, **arguments: Any) -> Any:  # noqa: ANN401 -- as boto3
        """Query the index, eventually consistently: half a unit for each 4 KB."""
        answer = self._client.query(**arguments)
        self._meter.table_calls += 1
        size = sum(size_of(item) for item in answer["Items"])
        self._meter.read_units += units(size, READ_UNIT) / 2
        return answer

    def update_item(self, **arguments: Any) -> Any:  # noqa: ANN401 -- as boto3
        """Write an item: a unit for each KB of the larger one of before and after, also if refused."""
        where = {name: arguments[name] for name in ("TableName", "Key")}
        before = self._client.get_item(**where).get("Item", {})
        after = before
        try:
            answer = self._client.update_item(**arguments)
            after = self._client.get_item(**where).get("Item", {})
        finally:
            self._meter.table_calls += 1
            size = max(size_of(before), size_of(after))
            self._meter.write_units += units(size, WRITE_UNIT) + index_writes(before, after)
            self._note(arguments["Key"]["pk"]["S"], after)
        return answer

    def _note(self, key: str, item: Mapping[str, Any]) -> None:
        self._due.pop(key, None)
        if all(name in item for name in INDEX):
            self._due[key] = int(item["check_at"]["N"])


def size_of(item: Mapping[str, Any]) -> int:
    """About the bytes of an item: its names and values as text."""
    return sum(len(name) + len(json.dumps(value)) for name, value in item.items())


def index_writes(before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
    """Writes of the index of open incidents: one to add or remove its item, two to replace it."""
    old, new = ([item.get(name) for name in INDEX] for item in (before, after))
    if old == new:
        return 0
    return sum(all(values) for values in (old, new))


class Digests:
    """What the digests say, in memory."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._items: dict[str, Content] = {}

    def add(self, key: str, content: Content, _kept_until: int) -> Content:
        """See the port: a unit for each KB of the item."""
        self._items[key] = self._items.get(key, NOTHING).joined(content)
        self._meter.table_calls += 1
        self._meter.write_units += units(content_bytes(self._items[key]), WRITE_UNIT)
        return self._items[key]

    def read(self, keys: Sequence[str]) -> Mapping[str, Content]:
        """See the port: half a unit for each 4 KB."""
        sizes = [content_bytes(self._items.get(key, NOTHING)) for key in keys]
        self._meter.table_calls += -(-len(keys) // MOST_KEYS)
        self._meter.read_units += sum(units(size, READ_UNIT) / 2 for size in sizes)
        return {key: self._items[key] for key in keys if key in self._items}


def content_bytes(content: Content) -> int:
    """About the bytes of the sets of a digest's item."""
    texts = sum(len(text.encode()) + 1 for some in content.texts.values() for text in some)
    return texts + sum(8 * len(numbers) for numbers in content.numbers.values())


class Mutes:
    """The mutes made by command, of which there are none."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def load(self, _now: int) -> Sequence[MadeMute]:
        """See the port: a consistent read of nothing is a unit."""
        self._meter.table_calls += 1
        self._meter.read_units += 1
        return ()


class Topic:
    """A topic; counts its messages."""

    def __init__(self, name: str, meter: Meter) -> None:
        self.name = name
        self._meter = meter

    def publish(self, _subject: str, _message: str, _attributes: Mapping[str, str]) -> None:
        """See the port."""
        self._meter.publishes += 1


class Log(io.StringIO):
    """The log of a function; counts its bytes and keeps none."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0

    def write(self, text: str) -> int:
        """Count the text; each line is an event."""
        self.size += len(text.encode()) + EVENT_BYTES * text.count("\n")
        return len(text)


class Metrics(Log):
    """The metrics in the log of a function: their bytes, and which had a value."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        """Those whose only dimension is the function."""

    def write(self, text: str) -> int:
        """Count the text; note the metrics of a document in CloudWatch's embedded format."""
        if text.startswith("{"):
            for each in json.loads(text)["_aws"]["CloudWatchMetrics"]:
                if each["Dimensions"] == [["service"]]:
                    self.names |= {metric["Name"] for metric in each["Metrics"]}
        return super().write(text)
