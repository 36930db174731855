"""The reader: every line becomes exactly one flow, gap or malformed record; no line raises.

Nearly all lines are OK records of a layout whose number of tokens no other layout has. For these each
layout gets a function of its own that does nothing but look up the tokens; whatever it does not know goes
to the strict way, which reads the line by every layout it could have and says what is wrong with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from flowwarden.errors import LayoutError
from flowwarden.records.fields import TRAFFIC_KINDS, Field, Kind
from flowwarden.records.layout import BYTE_ORDER_MARK, RecordLayout, is_header
from flowwarden.records.memo import Memo
from flowwarden.records.model import Flow, Gap, GapKind, LogStatus, Malformed, Records
from flowwarden.records.values import ABSENT, Value, convert

_FLOW: Final = Flow.__struct_fields__
_ENDPOINTS: Final = _FLOW[: -len(Flow.__struct_defaults__)]
"""The attributes that a flow cannot be without: its two addresses."""
_BITS: Final = {Kind.PORT: 16, Kind.COUNT: 63}
"""Kinds whose numbers seldom repeat, with the bits of the largest."""
_SHOWN: Final = 60


class Reader:
    """Reads lines of one or several layouts.

    Lines of several layouts are told apart by their number of tokens, then by the types of their fields. A
    line that fits none, or more than one, is malformed: it is never guessed. Make one reader and keep it:
    it remembers (boundedly) the tokens it has seen.
    """

    def __init__(self, layouts: Sequence[RecordLayout]) -> None:
        """Prepare for lines of these layouts.

        Raises:
            LayoutError: no layout given, or one without the addresses that make a flow.
        """
        self._layouts = tuple(dict.fromkeys(layouts))
        if not self._layouts:
            raise LayoutError("no log format is given, so no line can be read; give at least one")
        candidates: dict[int, list[tuple[Field, ...]]] = defaultdict(list)
        for layout in self._layouts:
            _demand_endpoints(layout)
            candidates[len(layout.names)].append(layout.fields)
        lookups = _lookups()
        self._candidates = dict(candidates)
        self._quick = {
            count: _quick_reader(alternatives[0], lookups)
            for count, alternatives in candidates.items()
            if len(alternatives) == 1
        }

    def read(self, lines: Iterable[str]) -> Records:
        """Read the lines, each holding one record; order is kept within flows, gaps and malformed."""
        records = Records([], [], [])
        add_flow = records.flows.append
        quick = self._quick
        for line in lines:
            tokens = line.split(" ")
            try:
                add_flow(quick[len(tokens)](tokens))
            except (KeyError, ValueError):  # one odd line must not end the batch
                self._read_odd(line, records)
        return records

    def _read_odd(self, line: str, records: Records) -> None:
        """File a line that the quick way does not know: a gap, something malformed, or an odd flow."""
        try:
            record = self._read_strictly(line)
        except ValueError as error:
            records.malformed.append(Malformed(line, str(error)))
            return
        if isinstance(record, Flow):
            records.flows.append(record)
        else:
            records.gaps.append(record)

    def _read_strictly(self, line: str) -> Flow | Gap:
        """Read a line by every layout it could have. Raises ValueError with the reason if it is malformed."""
        tokens = line.removeprefix(BYTE_ORDER_MARK).split()
        if not tokens:
            raise ValueError("blank line")
        if is_header(line) or any(tokens == list(layout.names) for layout in self._layouts):
            raise ValueError("header line: it names the fields and holds no record")
        candidates = self._candidates.get(len(tokens), [])
        if not candidates:
            raise ValueError(f"{len(tokens)} tokens where the log format has {self._counts()}")
        fitting: list[Flow | Gap] = []
        misfits: list[str] = []
        for fields in candidates:
            try:
                fitting.append(_interpret(fields, tokens))
            except ValueError as error:
                misfits.append(str(error))
        if not fitting:
            raise ValueError("; ".join(misfits))
        if len(fitting) > 1:
            raise ValueError(f"fits {len(fitting)} log formats of {len(tokens)} fields alike")
        return fitting[0]

    def _counts(self) -> str:
        return " or ".join(str(count) for count in sorted(self._candidates))


def _demand_endpoints(layout: RecordLayout) -> None:
    """Raise LayoutError unless a flow can be made from the layout."""
    attributes = {field.attribute for field in layout.fields}
    missing = [f"${{{name}}}" for name in _ENDPOINTS if name not in attributes]
    if missing:
        raise LayoutError(
            f"the log format {layout.to_log_format()!r} lacks {' and '.join(missing)}: "
            "without them nobody knows who talked to whom; add them to it"
        )


def _interpret(fields: Sequence[Field], tokens: Sequence[str]) -> Flow | Gap:
    """The record that the tokens of these fields are. Raises ValueError if they are none."""
    # Any: each value has the type that the kind of its field says; a test holds Flow to the table.
    values: dict[str, Any] = {
        field.attribute: _value(field, token) for field, token in zip(fields, tokens, strict=True)
    }
    status = next((values[field.attribute] for field in fields if field.kind is Kind.STATUS), None)
    if status in (LogStatus.NODATA, LogStatus.SKIPDATA):
        for field in fields:
            if field.kind in TRAFFIC_KINDS and values[field.attribute] is not None:
                raise ValueError(f"log-status is {status}, yet {field.name} is {values[field.attribute]}")
        known = {name: values[name] for name in Gap.__struct_fields__ if name in values}
        return Gap(kind=GapKind(status), **known)
    absent = [name for name in _ENDPOINTS if values[name] is None]
    if absent:
        raise ValueError(f"{' and '.join(absent)} absent, and no log-status tells of a gap")
    return Flow(**{name: values[name] for name in _FLOW if name in values})


def _value(field: Field, token: str) -> Value:
    try:
        return convert(field.kind, token)
    except ValueError as error:
        shown = repr(token) if len(token) <= _SHOWN else f"{token[:_SHOWN]!r}…"
        raise ValueError(f"{field.name} is {shown}, {error}") from None


def _lookups() -> dict[str, object]:
    """What the generated functions use, by name: a memo for each kind, and Flow."""
    addresses = Memo(partial(convert, Kind.ADDRESS))

    def endpoint(token: str) -> Value:
        if token == ABSENT:
            raise ValueError("a flow cannot be without")
        return addresses[token]

    def text(token: str) -> Value:
        if token.startswith(BYTE_ORDER_MARK) or token.split() != [token]:
            raise ValueError("the strict way knows of marks and of blanks other than one space")
        return convert(Kind.TEXT, token)

    return {
        **{kind.name: Memo(partial(convert, kind)) for kind in Kind},
        Kind.ADDRESS.name: addresses,
        Kind.STATUS.name: {LogStatus.OK.value: LogStatus.OK},
        Kind.TEXT.name: Memo(text),
        Kind.ENCODED_TEXT.name: Memo(text),
        "ENDPOINT": Memo(endpoint),
        "Flow": Flow,
    }


def _quick_reader(fields: Sequence[Field], lookups: dict[str, object]) -> Callable[[list[str]], Flow]:
    """Make the function that turns a token for each of these fields into a flow.

    It raises KeyError or ValueError for anything but a plain OK record. It is generated as source, as
    dataclasses do it: calling a converter for each field in a loop takes half as long again.
    """
    namespace = dict(lookups)
    source = "\n    ".join(["def quick(tokens):", *_statements(fields)])
    exec(source, namespace)  # noqa: S102 -- made of positions and kinds only; no name of a layout gets in
    quick: Callable[[list[str]], Flow] = namespace["quick"]  # type: ignore[assignment]  # exec made it
    return quick


def _statements(fields: Sequence[Field]) -> Iterator[str]:
    """The body of a quick reader, for example for srcaddr, dstaddr, dstport, log-status.

    t0, t1, t2, t3, = tokens
    digits = f'{t2}'
    if not (digits.isascii() and digits.isdigit()): raise ValueError
    t2 = int(t2)
    if (t2) >> 16: raise ValueError
    STATUS[t3]
    return Flow(ENDPOINT[t0], ENDPOINT[t1], None, t2)
    """
    named = {field.attribute: (f"t{position}", field.kind) for position, field in enumerate(fields)}
    yield f"{' '.join(f'{token},' for token, _ in named.values())} = tokens"
    yield from _numbers(list(named.values()))
    arguments = [_expression(name, *named.pop(name)) if name in named else "None" for name in _FLOW]
    while arguments[-1] == "None":  # the default; passing fewer arguments is faster
        arguments.pop()
    yield from (_expression(name, *rest) for name, rest in named.items())
    yield f"return Flow({', '.join(arguments)})"


def _numbers(tokens: Sequence[tuple[str, Kind]]) -> Iterator[str]:
    """Convert the numbers that seldom repeat, so that a memo would only be in the way.

    One look at all digits together keeps int() from taking what is no plain number.
    """
    numbers = {kind: [token for token, of in tokens if of is kind] for kind in _BITS}
    every = [token for group in numbers.values() for token in group]
    if not every:
        return
    yield f"digits = f'{''.join(f'{{{token}}}' for token in every)}'"
    yield "if not (digits.isascii() and digits.isdigit()): raise ValueError"
    yield from (f"{token} = int({token})" for token in every)
    for kind, group in numbers.items():
        if group:
            yield f"if ({' | '.join(group)}) >> {_BITS[kind]}: raise ValueError"


def _expression(attribute: str, token: str, kind: Kind) -> str:
    """What gives the value of a token; it raises KeyError or ValueError if it has none."""
    if kind in _BITS:
        return token
    return f"{'ENDPOINT' if attribute in _ENDPOINTS else kind.name}[{token}]"
