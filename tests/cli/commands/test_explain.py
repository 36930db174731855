"""`flowwarden read --explain LINE`: what a person sees who wonders about a line."""

from __future__ import annotations

import pytest

from flowwarden.records.fields import BY_NAME, FIELDS, Field
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from tests.cli.fakes_console import flowwarden
from tests.sources.held import ACCEPTED, HEADER, NODATA, REJECTED, SKIPDATA


def explain(line: str, *options: str) -> str:
    """What is printed about the line."""
    ended = flowwarden(["read", *options, "--explain", line])
    assert (ended.code, ended.stderr) == (0, "")
    return ended.stdout


def row(text: str, field: str) -> list[str]:
    """The cells of a field in the table."""
    (found,) = [line for line in text.splitlines() if line.startswith(f"{field} ")]
    return [cell for cell in found.split("  ") if cell]


def test_each_field_is_shown_with_token_value_and_meaning() -> None:
    """In the order of the layout; the meaning is the table of fields' own."""
    text = explain(ACCEPTED)
    assert [line.split()[0] for line in text.splitlines()[1:15]] == list(DEFAULT_LOG_FORMAT.names)
    for name, token in zip(DEFAULT_LOG_FORMAT.names, ACCEPTED.split(), strict=True):
        cells = [cell.strip() for cell in row(text, name)]
        assert (cells[1], cells[-1]) == (token, BY_NAME[name].meaning)
    assert "2023-11-14 22:13:20 UTC" in row(text, "start")[2]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_any_field_can_be_explained(field: Field) -> None:
    """Absent in this line."""
    others = [name for name in ("srcaddr", "dstaddr", "log-status") if name != field.name]
    text = explain(" ".join(["-"] * (len(others) + 1)), "--format", " ".join([field.name, *others]))
    assert [cell.strip() for cell in row(text, field.name)] == [field.name, "-", "absent", field.meaning]


def test_a_flow_is_told_with_side_and_initiator() -> None:
    """As far as the one line tells."""
    text = explain(ACCEPTED)
    assert "The reader makes of it: a flow." in text
    assert "side: unknown" in text
    assert "initiator: the source, 10.0.0.5 (own), towards 10.0.0.9 (own), port 22; 95% sure:" in text


def test_the_side_is_told_where_the_line_has_it() -> None:
    """And an answer has its initiator at the other end."""
    text = explain(
        "10.0.0.9 198.51.100.7 22 40000 6 18 egress",
        "--format",
        "srcaddr dstaddr srcport dstport protocol tcp-flags flow-direction",
    )
    assert "side: egress" in text
    assert "initiator: the destination, 198.51.100.7 (internet), towards 10.0.0.9 (own), port 22" in text


def test_where_nothing_tells_the_initiator_is_unknown() -> None:
    """It says why."""
    assert "initiator: unknown: no evidence" in explain("10.0.0.1 10.0.0.2", "--format", "srcaddr dstaddr")


@pytest.mark.parametrize(("line", "words"), [(NODATA, "silence"), (SKIPDATA, "sight is lost")])
def test_a_gap_is_told_with_what_it_means(line: str, words: str) -> None:
    """Silence is not lost sight."""
    text = explain(line)
    assert "The reader makes of it: a gap. " in text
    assert words in text
    assert "absent" in row(text, "srcaddr")[2]


def test_a_malformed_field_is_marked_with_the_reason() -> None:
    """Beside the field, and below."""
    text = explain(REJECTED.replace(" 23 ", " 99999 "))
    assert "✗ above 65535" in row(text, "dstport")[2]
    assert "The reader makes of it: malformed, dstport is '99999', above 65535." in text


def test_tokens_too_many_and_too_few_are_shown() -> None:
    """With the advice to tell the format."""
    many, few = explain(f"{ACCEPTED} extra"), explain(ACCEPTED.removesuffix(" OK"))
    assert [cell.strip() for cell in row(many, "(no field)")][:2] == ["(no field)", "extra"]
    assert [cell.strip() for cell in row(few, "log-status")][:2] == ["log-status", "(no token)"]
    for text, count in ((many, 15), (few, 13)):
        assert f"malformed, {count} tokens where the log format has 14." in text
        assert "tell it: --format" in text


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
def test_a_line_may_be_pasted_as_it_stands_in_a_source(line: str) -> None:
    """It is explained as `read` would read it."""
    assert explain(line) == explain(ACCEPTED)


def test_of_several_formats_the_one_that_fits_is_shown() -> None:
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
def test_where_nothing_is_to_be_explained_it_says_so(line: str) -> None:
    """A blank line, or one that names fields."""
    assert explain(line).startswith("Nothing to explain")


def test_an_object_that_is_no_record_is_told() -> None:
    """With the reason."""
    assert "malformed, an object without the fields of a flow record" in explain('{"a": 1}')


@pytest.mark.parametrize("line", ['{"a": ', "version action\n2 REJECT"])
def test_what_cannot_be_read_at_all_is_an_error(line: str) -> None:
    """Without a traceback, on standard error."""
    ended = flowwarden(["read", "--explain", line])
    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("error: ")
