"""Layouts: accepted and rejected forms."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.errors import LogFormatError
from flowwarden.records.fields import FIELDS, Kind
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat, is_header

NAMES = ("version", "account-id", "pkt-srcaddr", "tcp-flags")


@pytest.mark.parametrize(
    "text",
    [
        "${version} ${account-id} ${pkt-srcaddr} ${tcp-flags}",
        "${version},${account-id},${pkt-srcaddr},${tcp-flags}",
        "${version}${account_id}  ${pkt-srcaddr}\n${tcp-flags} ",
        "version account-id pkt-srcaddr tcp-flags",
        "  version  account-id\tpkt-srcaddr tcp-flags\r\n",
        "\ufeffversion account-id pkt-srcaddr tcp-flags",
        "version,account-id,pkt-srcaddr,tcp-flags",
        "version, account_id, pkt_srcaddr, tcp_flags",
        "version account_id pkt_srcaddr tcp_flags",
    ],
)
def test_a_layout_is_parsed_from_each_supported_form(text: str) -> None:
    """LogFormat, the header line of a file, a list with commas, names with underscores."""
    assert LogFormat.parse(text) == LogFormat(NAMES)


@given(st.lists(st.sampled_from([field.name for field in FIELDS]), min_size=1, unique=True))
def test_a_layout_survives_the_round_trip_through_a_log_format(names: list[str]) -> None:
    """The monitor reads the format that the enforcer writes."""
    layout = LogFormat(tuple(names))
    assert LogFormat.parse(layout.to_log_format()) == layout
    assert [field.name for field in layout.fields] == names


def test_the_default_layout_is_aws_s_default_format() -> None:
    """Version 2, in the order of the VPC User Guide."""
    assert (
        LogFormat.parse(
            "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
            "start end action log-status"
        )
        == DEFAULT_LOG_FORMAT
    )


def test_equal_layouts_have_equal_hashes() -> None:
    """So readers can be cached by layout."""
    assert len({LogFormat(NAMES), LogFormat.parse(" ".join(NAMES)), DEFAULT_LOG_FORMAT}) == 2


def test_an_unknown_field_is_kept_as_text_and_listed() -> None:
    """AWS adds fields; a new one must not make the record malformed."""
    layout = LogFormat.parse("${srcaddr} ${quantum-state} ${dstaddr}")
    assert layout.unknown == ("quantum-state",)
    assert (layout.fields[1].kind, layout.fields[1].version) == (Kind.TEXT, None)
    assert DEFAULT_LOG_FORMAT.unknown == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no field"),
        (" , ", "no field"),
        ("${}", "'' .* not a field name"),
        ("${srcaddr} ${dstaddr} ${srcaddr}", "contains srcaddr more than once"),
        ("${tcp-flags} ${tcp_flags}", "contains tcp-flags more than once"),
        ("${srcaddr} dstaddr", r"'dstaddr' is outside"),
        ("${srcaddr", r"is outside|not a field name"),
        ("${!srcaddr} ${!dstaddr}", "'!srcaddr' .* not a field name"),
        ("${Srcaddr}", "'Srcaddr' .* not a field name"),
        ("2 123456789012 eni-0a", "'2' .* not a field name"),
        ("good morning", "no field of flow logs"),
    ],
)
def test_an_invalid_layout_is_rejected_with_a_remedy(text: str, complaint: str) -> None:
    """The message contains the invalid part."""
    with pytest.raises(LogFormatError, match=complaint):
        LogFormat.parse(text)


def test_a_layout_without_addresses_is_valid() -> None:
    """Only the reader requires the addresses."""
    assert LogFormat.parse("${version} ${bytes}").names == ("version", "bytes")


@given(st.text())
def test_any_text_is_a_layout_or_a_layout_error(text: str) -> None:
    """The parameter can contain anything."""
    with suppress(LogFormatError):
        assert LogFormat.parse(text).names


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("version account-id interface-id", True),
        ("version,account_id", True),
        ("\ufeffversion srcaddr\r\n", True),
        ("2 123456789012 eni-0a", False),
        ("version 2", False),
        ("", False),
    ],
)
def test_a_header_line_consists_of_field_names_only(line: str, *, expected: bool) -> None:
    """Files begin with one; some have one before every record."""
    assert is_header(line) is expected
