"""A policy that is no JSON, or whose values have wrong types: the message says where, and what to write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from flowwarden.errors import PolicyError
from flowwarden.policy.flow_logs import Selection
from flowwarden.policy.policy import Policy
from flowwarden.policy.transit_gateways import GatewaySelection
from tests.examples import examples

EXEMPTION = {"where": {"vpcs": ["vpc-1"]}, "reason": "sandbox"}


def refusal(text: str | bytes) -> str:
    """The message with which a policy is refused; '' if it is valid."""
    try:
        Policy.from_json(text)
    except PolicyError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\ufeff{}", "policy: it begins with a byte order mark (U+FEFF); save it as UTF-8 without this mark"),
        (
            b"\xef\xbb\xbf{}",
            "policy: it begins with a byte order mark (U+FEFF); save it as UTF-8 without this mark",
        ),
        (b'{"exempt": ["\xff"]}', "policy: it is not UTF-8; save it as UTF-8"),
        (
            r'{"exempt": ["\ud800"]}',
            r"policy: \ud800 is half of a character; write the whole character",
        ),
        (r'{"\uDC00": 1}', r"policy: \udc00 is half of a character; write the whole character"),
        ('{"exempt": ["\ud83d"]}', r"policy: \ud83d is half of a character; write the whole character"),
        (
            '{\n  "exempt": [],\n}',
            "policy: not JSON: Illegal trailing comma before end of object, in line 2, column 15",
        ),
    ],
)
def test_what_is_no_json_is_named_with_its_place(text: str | bytes, message: str) -> None:
    """In words, and with a line."""
    assert refusal(text) == message


def test_a_pair_of_surrogates_is_a_character() -> None:
    """JSON writes characters beyond U+FFFF so."""
    assert refusal(r'{"role_tags": ["\ud83d\ude00"]}') == ""


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"mutes": [{"until": 7, "reason": "x"}]}, "mutes[0].until: 7; write a text in quotes"),
        (
            {"flow_logs": {"exemptions": [EXEMPTION | {"until": "soon"}]}},
            'flow_logs.exemptions[0].until: "soon"; write a day such as 2027-03-31 in quotes',
        ),
        (
            {"flow_logs": {"exemptions": [EXEMPTION | {"until": "2027-01-01T00:00:00Z"}]}},
            'flow_logs.exemptions[0].until: "2027-01-01T00:00:00Z"; write a day such as 2027-03-31 in quotes',
        ),
        (
            {"flow_logs": {"default": {"retention_days": "7"}}},
            'flow_logs.default.retention_days: "7"; write a whole number or null',
        ),
        ({"exempt": None}, "exempt: null; write a list in [ ]"),
        ({"thresholds": 5}, "thresholds: 5; write an object in { }"),
        (
            {"flow_logs": {"default": {"tags": {"a": 1}}}},
            "flow_logs.default.tags[...]: write a text in quotes",
        ),
        (
            {"flow_logs": {"default": {"per_hour_partition": 1}}},
            "flow_logs.default.per_hour_partition: 1; write true or false",
        ),
        ({"flow_logs": {"rules": [{"where": {}}]}}, "flow_logs.rules[0]: flow_log is missing; add it"),
    ],
)
def test_a_wrong_value_is_named_with_what_to_write(document: dict[str, Any], message: str) -> None:
    """And with nothing about other settings."""
    assert refusal(json.dumps(document)) == f"policy: {message}"


SETTINGS = st.sampled_from(
    [*Policy.__struct_fields__, "default", "until", "reason", "where", "flow_log", "vpcs", "scan_hour", "zzz"]
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SETTINGS, inner, max_size=3),
    max_leaves=8,
)


@examples(5)
@given(DOCUMENTS)
def test_no_message_contains_names_of_the_decoder(document: object) -> None:
    """Neither its types nor its paths; those are for programmers."""
    message = refusal(json.dumps(document))
    assert not any(each in message for each in ("Expected `", " at `$", "Object ", "RFC3339", "regex"))


def _places(kind: type[Struct], path: str = "") -> Iterator[tuple[str, type[Struct]]]:
    """Every place of a policy with settings of its own, and their type."""
    yield path, kind
    for name, hint in get_type_hints(kind).items():
        for each in (hint, *get_args(hint)):
            if isinstance(each, type) and issubclass(each, Struct):
                yield from _places(each, f"{path}.{name}{'' if each is hint else '[]'}")


PLACES = dict(_places(Policy))


@pytest.mark.parametrize("place", PLACES)
def test_an_unknown_setting_is_refused_with_the_names_that_its_own_place_has(place: str) -> None:
    """Also where another place has the same name, as `where` has for VPCs and for transit gateways."""
    value: object = {"zzz": 1}
    for step in place.split(".")[:0:-1]:
        value = {step[:-2]: [value]} if step.endswith("[]") else {step: value}
    with pytest.raises(PolicyError) as refused:
        Policy.from_json(json.dumps(value))
    names = ", ".join(PLACES[place].__struct_fields__)
    assert str(refused.value).endswith(f"zzz: unknown setting; write one of {names}")


@pytest.mark.parametrize("place", [each for each in PLACES if each])
def test_a_setting_at_the_top_that_belongs_elsewhere_is_refused_with_a_place_that_has_it(place: str) -> None:
    """So that a right name at the wrong place is not called unknown alone."""
    for name in {*PLACES[place].__struct_fields__} - {*PLACES[""].__struct_fields__}:
        with pytest.raises(PolicyError) as refused:
            Policy.from_json(json.dumps({name: 1}))
        suggested = str(refused.value).rpartition("; did you mean ")[2].removesuffix("?").split(" or ")[-1]
        at, _, last = suggested.rpartition(".")
        assert last == name
        assert name in PLACES[f".{at}"].__struct_fields__


def test_the_places_include_both_kinds_of_selections() -> None:
    """So that the test above compares them."""
    both = PLACES[".flow_logs.rules[].where"], PLACES[".flow_logs.transit_gateways.where[]"]
    assert both == (Selection, GatewaySelection)
