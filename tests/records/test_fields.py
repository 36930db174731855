"""The table of fields."""

from __future__ import annotations

from types import UnionType
from typing import Any, get_args, get_type_hints

import pytest

from flowwarden.records.fields import BY_NAME, FIELDS, TRANSIT_GATEWAY_VERSION, Kind
from flowwarden.records.line_decoder import flow_type
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import FLOW_ATTRIBUTES, Action, Flow, FlowDirection, Gap

TYPES: dict[Kind, type] = {
    Kind.TEXT: str,
    Kind.ADDRESS: str,
    Kind.PORT: int,
    Kind.PROTOCOL: int,
    Kind.COUNT: int,
    Kind.FLAGS: int,
    Kind.SECONDS: int,
    Kind.INTEGER: int,
    Kind.ACTION: Action,
    Kind.DIRECTION: FlowDirection,
}


@pytest.mark.parametrize(
    ("version", "count"), [(2, 14), (3, 21), (4, 25), (5, 29), (7, 39), (8, 40), (9, 41), (10, 42), (11, 54)]
)
def test_the_number_of_vpc_fields_up_to_a_version_matches_aws(version: int, count: int) -> None:
    """Counted in the VPC User Guide; version 6 is for transit gateways only."""
    vpc = [f for f in FIELDS if f.version != TRANSIT_GATEWAY_VERSION and f.version is not None]
    assert len([f for f in vpc if f.version is not None and f.version <= version]) == count


def test_eighteen_fields_are_specific_to_transit_gateways() -> None:
    """The other fields are shared with VPC flow logs."""
    assert len([f for f in FIELDS if f.version == TRANSIT_GATEWAY_VERSION]) == 18


def test_names_and_attributes_are_unique_and_every_field_has_a_meaning() -> None:
    """A name, with dashes or underscores, identifies one field."""
    assert len(BY_NAME) == len(FIELDS) == len({f.attribute for f in FIELDS})
    assert all(f.meaning for f in FIELDS)


@pytest.mark.parametrize("record", [Flow, Gap])
def test_attributes_of_records_are_table_fields_with_the_type_of_their_kind(record: type[Any]) -> None:
    """Flow and Gap define no fields of their own."""
    by_attribute = {f.attribute: f for f in FIELDS}
    hints = get_type_hints(record)
    hints.pop("kind", None)
    for name in ("layout", "records"):
        hints.pop(name, None)
    for attribute, hint in hints.items():
        types = set(get_args(hint)) if isinstance(hint, UnionType) else {hint}
        assert types - {type(None)} == {TYPES[by_attribute[attribute].kind]}, attribute


def test_only_the_two_addresses_of_a_flow_are_required() -> None:
    """All other fields can be missing in a layout or absent in a record."""
    flow = flow_type(LogFormat(("srcaddr", "dstaddr")))(srcaddr="10.0.0.1", dstaddr="10.0.0.2")
    assert all(getattr(flow, name) is None for name in FLOW_ATTRIBUTES[2:])
