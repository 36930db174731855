"""`flowwarden read --explain LINE`: the explanation of a line."""

from __future__ import annotations

import pytest

from flowwarden.records.fields import BY_NAME, FIELDS, Field
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from tests.cli.fakes_console import flowwarden
from tests.sources.held import ACCEPTED, HEADER, NODATA, REJECTED, SKIPDATA


def explain(line: str, *options: str) -> str:
    """The output for the line."""
    ended = flowwarden(["read", *options, "--explain", line])
    assert (ended.code, ended.stderr) == (0, "")
    return ended.stdout


def row(text: str, field: str) -> list[str]:
    """The cells of a field in the table."""
    (found,) = [line for line in text.splitlines() if line.startswith(f"{field} ")]
    return [cell for cell in found.split("  ") if cell]


def test_each_field_is_shown_with_token_value_and_meaning() -> None:
    """In the order of the layout; the meaning comes from the table of fields."""
    text = explain(ACCEPTED)
    assert [line.split()[0] for line in text.splitlines()[1:15]] == list(DEFAULT_LOG_FORMAT.names)
    for name, token in zip(DEFAULT_LOG_FORMAT.names, ACCEPTED.split(), strict=True):
        cells = [cell.strip() for cell in row(text, name)]
        assert (cells[1], cells[-1]) == (token, BY_NAME[name].meaning)
    assert "2023-11-14 22:13:20 UTC" in row(text, "start")[2]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_any_field_can_be_explained(field: Field) -> None:
    """Even if it is absent in the line."""
    others = [name for name in ("srcaddr", "dstaddr", "log-status") if name != field.name]
    text = explain(" ".join(["-"] * (len(others) + 1)), "--format", " ".join([field.name, *others]))
    assert [cell.strip() for cell in row(text, field.name)] == [field.name, "-", "absent", field.meaning]


def test_a_flow_is_explained_with_side_and_initiator() -> None:
    """As far as this line contains them."""
    text = explain(ACCEPTED)
    assert "Result: a flow." in text
    assert "side: unknown" in text
    assert "initiator: the source, 10.0.0.5 (own), to 10.0.0.9 (own), port 22; confidence 95%:" in text


def test_the_side_is_shown_if_the_line_contains_it() -> None:
    """The initiator of a reply is its destination."""
    text = explain(
        "10.0.0.9 198.51.100.7 22 40000 6 18 egress",
        "--format",
        "srcaddr dstaddr srcport dstport protocol tcp-flags flow-direction",
    )
    assert "side: egress" in text
    assert "initiator: the destination, 198.51.100.7 (internet), to 10.0.0.9 (own), port 22" in text


def test_without_evidence_the_initiator_is_unknown() -> None:
    """The output contains the reason."""
    assert "initiator: unknown: no evidence" in explain("10.0.0.1 10.0.0.2", "--format", "srcaddr dstaddr")


@pytest.mark.parametrize(("line", "words"), [(NODATA, "no traffic"), (SKIPDATA, "skipped records")])
def test_a_gap_is_shown_with_its_meaning(line: str, words: str) -> None:
    """No traffic differs from missing records."""
    text = explain(line)
    assert "Result: a gap. " in text
    assert words in text
    assert "absent" in row(text, "srcaddr")[2]


def test_a_malformed_field_is_marked_with_the_reason() -> None:
    """In the field's row, and below the table."""
    text = explain(REJECTED.replace(" 23 ", " 99999 "))
    assert "✗ above 65535" in row(text, "dstport")[2]
    assert "Result: malformed, dstport is '99999', above 65535." in text


def test_surplus_and_missing_tokens_are_shown() -> None:
    """With the advice to pass the format."""
    many, few = explain(f"{ACCEPTED} extra"), explain(ACCEPTED.removesuffix(" OK"))
    assert [cell.strip() for cell in row(many, "(no field)")][:2] == ["(no field)", "extra"]
    assert [cell.strip() for cell in row(few, "log-status")][:2] == ["log-status", "(no token)"]
    for text, count in ((many, 15), (few, 13)):
        assert f"malformed, {count} tokens where the log format has 14 or 28." in text
        assert "pass it: --format" in text


@pytest.mark.parametrize(
    "line",
    [
        f"2023-11-14T22:13:20.000Z {ACCEPTED}",
        f"{HEADER}\n{ACCEPTED}",
        f'{{"message": "{ACCEPTED}"}}',
        f"\ufeff  {ACCEPTED}  ",
    ],
    ids=["timestamp", "header above", "JSON", "BOM and blanks"],
)
def test_a_line_may_be_pasted_as_it_appears_in_a_source(line: str) -> None:
    """It is explained as `read` reads it."""
    assert explain(line) == explain(ACCEPTED)


def test_of_several_formats_the_matching_one_is_shown() -> None:
    """By the number of tokens."""
    text = explain(
        "10.0.0.1 10.0.0.2 22", "--format", "srcaddr dstaddr", "--format", "srcaddr dstaddr dstport"
    )
    assert "dstport" in text


def test_a_long_token_is_shortened() -> None:
    """The table stays readable."""
    assert (
        "x" * 100
        not in explain(f"{'x' * 200} 10.0.0.2", "--format", "srcaddr dstaddr").split("The reader")[0]
    )


@pytest.mark.parametrize("line", ["", "  ", HEADER])
def test_a_line_without_a_record_is_reported(line: str) -> None:
    """A blank line, or a header."""
    assert explain(line).startswith("Nothing to explain")


def test_an_object_that_is_not_a_record_is_reported() -> None:
    """With the reason."""
    assert "malformed, an object without the fields of a flow record" in explain('{"a": 1}')


@pytest.mark.parametrize("line", ['{"a": ', "version action\n2 REJECT"])
def test_an_unsupported_line_is_an_error(line: str) -> None:
    """Without a traceback, on standard error."""
    ended = flowwarden(["read", "--explain", line])
    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("error: ")
