"""Values of tables become the tokens that AWS would have written."""

from __future__ import annotations

import math

import pytest

from flowwarden.errors import LogFormatError
from flowwarden.records.fields import BY_NAME, FIELDS, Kind
from flowwarden.sources.columns import Columns, csv_columns, field_name, token


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("srcport", 8080, "8080"),
        ("srcport", 8080.0, "8080"),
        ("srcport", "8080.0", "8080"),
        ("srcport", "08080.00", "08080"),
        ("srcport", "8080.5", "8080.5"),
        ("srcport", math.nan, "-"),
        ("bytes", 2**62, str(2**62)),
        ("start", 1700000000.0, "1700000000"),
        ("vpc-id", "1.0", "1.0"),
        ("account-id", 123.0, "000000000123"),
        ("account-id", "123", "123"),
        ("account-id", "unknown", "unknown"),
        ("tgw-src-vpc-account-id", 11122223333, "011122223333"),
        ("instance-id", "None", "-"),
        ("instance-tag", "None", "None"),
        ("instance-tag", "", "-"),
        ("instance-tag", "a%20b", "a%20b"),
        ("srcaddr", " 10.0.0.1 ", "10.0.0.1"),
    ],
)
def test_values_become_tokens(name: str, value: object, expected: str) -> None:
    """What a field cannot be is left as it is, for the reader to refuse."""
    assert token(BY_NAME[name], value) == expected


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
@pytest.mark.parametrize("value", [None, "", "-", "  "])
def test_nothing_is_a_dash_in_any_field(field: object, value: object) -> None:
    """As AWS writes it."""
    assert token(field, value) == "-"  # type: ignore[arg-type]  # a field of the table


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.ENCODED_TEXT])
def test_the_words_of_tools_for_nothing_are_dashes_but_in_tags(kind: Kind) -> None:
    """A tag may have the value None."""
    fields = [field for field in FIELDS if field.kind is kind]
    assert {token(field, word) for field in fields for word in ("None", "NULL", "nan")} <= {"-"}


@pytest.mark.parametrize("value", [True, [], {}, b"x"])
def test_what_is_neither_text_nor_number_is_refused(value: object) -> None:
    """The message says which field, and what it is."""
    with pytest.raises(ValueError, match=f"srcport is a {type(value).__name__}"):
        token(BY_NAME["srcport"], value)


@pytest.mark.parametrize("column", ["account_id", "account-id", " Account_ID ", "@account_id"])
def test_names_of_columns_become_names_of_fields(column: str) -> None:
    """Dashes, underscores, capitals, CloudWatch's mark."""
    assert field_name(column) == "account-id"


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_is_found_under_its_column_name(field: object) -> None:
    """The table of fields is all that is needed."""
    name = field.name  # type: ignore[attr-defined]  # a field of the table
    columns = Columns(
        ["srcaddr", "dstaddr", name.replace("-", "_")] if name not in {"srcaddr", "dstaddr"} else [name]
    )
    assert name in columns.layout.names


def test_columns_without_addresses_get_them_as_absent() -> None:
    """So that a table of gaps can be read."""
    columns = Columns(["log_status", "interface_id"])
    assert columns.line(["NODATA", "eni-0a"]) == "NODATA eni-0a - -"


@pytest.mark.parametrize("names", [["date"], [], ["srcaddr", "src_addr", "srcaddr"]])
def test_columns_that_make_no_layout_are_refused(names: list[str]) -> None:
    """No field, or one twice."""
    with pytest.raises(LogFormatError):
        Columns(names)


@pytest.mark.parametrize(
    "line", ["", "srcaddr dstaddr", "srcaddr,action", "2,10.0.0.1", ",", '","', "srcaddr\r,dstaddr,message"]
)
def test_other_lines_are_no_csv_header(line: str) -> None:
    """The addresses or a message must be there, and no line break but at the end."""
    assert csv_columns(line) is None
