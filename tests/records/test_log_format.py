"""Layouts: what is read, what is refused."""

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
def test_a_layout_is_read_in_each_form_that_people_and_aws_write(text: str) -> None:
    """LogFormat, the header line of a file, a list with commas, names with underscores."""
    assert LogFormat.parse(text) == LogFormat(NAMES)


@given(st.lists(st.sampled_from([field.name for field in FIELDS]), min_size=1, unique=True))
def test_a_layout_survives_being_written_as_a_log_format(names: list[str]) -> None:
    """What the enforcer writes is what the monitor reads."""
    layout = LogFormat(tuple(names))
    assert LogFormat.parse(layout.to_log_format()) == layout
    assert [field.name for field in layout.fields] == names


def test_the_default_layout_is_what_aws_writes_without_a_log_format() -> None:
    """Version 2, in the order of the VPC User Guide."""
    assert (
        LogFormat.parse(
            "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
            "start end action log-status"
        )
        == DEFAULT_LOG_FORMAT
    )


def test_equal_layouts_have_equal_hashes() -> None:
    """So that readers can be cached by their layout."""
    assert len({LogFormat(NAMES), LogFormat.parse(" ".join(NAMES)), DEFAULT_LOG_FORMAT}) == 2


def test_an_unknown_field_is_kept_as_text_and_told() -> None:
    """AWS adds fields; a new one must not cost the whole record."""
    layout = LogFormat.parse("${srcaddr} ${quantum-state} ${dstaddr}")
    assert layout.unknown == ("quantum-state",)
    assert (layout.fields[1].kind, layout.fields[1].version) == (Kind.TEXT, None)
    assert DEFAULT_LOG_FORMAT.unknown == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no field"),
        (" , ", "no field"),
        ("${}", "'' .* no field name"),
        ("${srcaddr} ${dstaddr} ${srcaddr}", "names srcaddr more than once"),
        ("${tcp-flags} ${tcp_flags}", "names tcp-flags more than once"),
        ("${srcaddr} dstaddr", r"'dstaddr' stands outside"),
        ("${srcaddr", r"stands outside|no field name"),
        ("${!srcaddr} ${!dstaddr}", "'!srcaddr' .* no field name"),
        ("${Srcaddr}", "'Srcaddr' .* no field name"),
        ("2 123456789012 eni-0a", "'2' .* no field name"),
        ("good morning", "no field of flow logs"),
    ],
)
def test_what_is_no_layout_is_refused_with_what_to_do(text: str, complaint: str) -> None:
    """The message names the culprit."""
    with pytest.raises(LogFormatError, match=complaint):
        LogFormat.parse(text)


def test_a_layout_without_addresses_is_a_layout() -> None:
    """Only the reader needs the addresses."""
    assert LogFormat.parse("${version} ${bytes}").names == ("version", "bytes")


@given(st.text())
def test_any_text_is_a_layout_or_a_layout_error(text: str) -> None:
    """Whatever someone puts into the parameter."""
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
def test_a_header_line_names_fields_and_nothing_else(line: str, *, expected: bool) -> None:
    """Files begin with one; some have one before every record."""
    assert is_header(line) is expected
