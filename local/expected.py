"""Compares what a function did with the outcome that its example event expects. Pure.

Ids in `events/` are written by hand; those that the AWS emulator gave instead are in `names`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from flowwarden.sinks.sns import fit_subject
from local.inbox import Delivery

NOTHING = "nothing"


class Observed(Struct, frozen=True, kw_only=True):
    """The result of a function, and the notifications that it published."""

    result: Any
    pages: Sequence[Delivery] = ()
    operations: Sequence[Delivery] = ()


class Difference(Struct, frozen=True):
    """A difference between the expected and the observed outcome."""

    what: str
    expected: Any
    got: Any


def differences(
    expected: Mapping[str, Any], observed: Observed, names: Mapping[str, str]
) -> list[Difference]:
    """What differs, in the order of the outcome; nothing if all is as expected.

    Args:
        expected: the member `expected` of the event.
        observed: what the function did.
        names: the real id for each id that is written in the event.
    """
    wanted = renamed(expected, names)
    if wanted.get("control"):
        return list(_differing("result", {"control": True}, observed.result))
    if "result" in wanted:
        return list(_enforcer(wanted, observed))
    return list(_monitor(wanted, observed))


def renamed[Document](document: Document, names: Mapping[str, str]) -> Document:
    """A JSON document with each written id replaced by the real one."""
    text = json.dumps(document)
    # The longest id first, because one id may begin with another.
    for written in sorted(names, key=len, reverse=True):
        text = text.replace(written, names[written])
    result: Document = json.loads(text)
    return result


def _monitor(wanted: Mapping[str, Any], observed: Observed) -> Iterator[Difference]:
    result = observed.result if isinstance(observed.result, dict) else {}
    for name, count in wanted.get("counts", {}).items():
        yield from _differing(name, count, result.get(metric_of(name), NOTHING))
    for route, deliveries in (("pages", observed.pages), ("operations", observed.operations)):
        documents = wanted.get(route, [])
        if len(documents) != len(deliveries):
            yield Difference(route, documents, [each.subject for each in deliveries])
            continue
        for number, (members, delivery) in enumerate(zip(documents, deliveries, strict=True), 1):
            got = {name: delivery.document.get(name, NOTHING) for name in members}
            yield from _differing(f"{route}, number {number}", members, got)


def metric_of(name: str) -> str:
    """The member of the monitor's result that has a count, such as `NoData` for `no_data`."""
    return "".join(part.capitalize() for part in name.split("_"))


def _enforcer(wanted: Mapping[str, Any], observed: Observed) -> Iterator[Difference]:
    got = dict(observed.result) if isinstance(observed.result, dict) else {"result": observed.result}
    # The reason is a text for people.
    got.pop("reason", None)
    plan = got.pop("plan", None) if "steps" in wanted else None
    for name in sorted({*wanted["result"], *got}):
        yield from _differing(name, wanted["result"].get(name, NOTHING), got.get(name, NOTHING))
    if "steps" in wanted:
        planned = plan["vpcs"] if plan else []
        steps = {each["vpc"]: [step["type"] for step in each["steps"]] for each in planned}
        yield from _differing("steps", wanted["steps"], steps)
    yield from _notification(wanted.get("notification"), observed.operations)


def _notification(wanted: Mapping[str, Any] | None, deliveries: Sequence[Delivery]) -> Iterator[Difference]:
    if wanted is None or len(deliveries) != 1:
        expected = [] if wanted is None else [wanted["subject"]]
        yield from _differing("notifications", expected, [each.subject for each in deliveries])
        return
    (delivery,) = deliveries
    yield from _differing("subject", fit_subject(wanted["subject"]), delivery.subject)
    yield from _differing("attributes", wanted["attributes"], delivery.attributes)
    for part in wanted["text"]:
        if part not in delivery.text:
            yield Difference("text", part, "a text without it")


def _differing(what: str, expected: object, got: object) -> Iterator[Difference]:
    if expected != got:
        yield Difference(what, expected, got)
