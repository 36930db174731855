"""What `aws logs` and other tools write before and around a line."""

from __future__ import annotations

import json

import pytest

from tests.sources.held import ACCEPTED, HEADER, NODATA, REJECTED, flows_of, read_all

STREAM = "eni-0a1b2c3d4e5f60718-all"
STAMP = "2023-11-14T22:13:20"


@pytest.mark.parametrize(
    "prefix",
    [
        f"{STAMP} ",
        f"{STAMP}.000Z ",
        f"{STAMP}+00:00 {STREAM} ",
        f"{STAMP}.000000+00:00 {STREAM} ",
        f"{STAMP}+00:00 any/stream[1] ",
        f"{STAMP}+00:00 \x1b[36m{STREAM}\x1b[0m ",
        "2023-11-14 22:13:20.000 ",
        "2023-11-14 22:13:20 UTC ",
    ],
    ids=["short", "export", "default", "detailed", "other stream", "colors", "blank", "UTC"],
)
def test_timestamp_and_log_stream_are_removed(prefix: str) -> None:
    """Formats of `aws logs tail`, exports, and copies of Insights."""
    held = read_all("\n".join(prefix + line for line in (ACCEPTED, NODATA, REJECTED)))
    assert held.flows == flows_of(ACCEPTED, REJECTED)
    assert (len(held.gaps), held.malformed) == (1, [])


def test_text_after_a_prefix_that_is_no_record_is_malformed() -> None:
    """It is shown without the prefix."""
    held = read_all(f"{STAMP} {STREAM} {ACCEPTED}\n{STAMP} {STREAM} odd\n{STAMP} a b c\n")
    assert [(number, bad.line) for number, bad in held.malformed] == [(2, "odd"), (3, "a b c")]


def test_a_message_that_is_an_object_is_a_record() -> None:
    """A transformer of the log group (parseVPC) makes objects of lines."""
    fields = dict(zip(HEADER.split(), ACCEPTED.split(), strict=True))
    held = read_all(f"{STAMP}+00:00 {STREAM} {json.dumps(fields)}\n")
    assert held.flows == flows_of(ACCEPTED)
    text = json.dumps({"events": [{"message": json.dumps(fields)}]})
    assert read_all(text).flows == flows_of(ACCEPTED)


@pytest.mark.parametrize(
    "text",
    [
        f"EVENTS\t3700\t1700000000000\t{STREAM}\t{ACCEPTED}\t1700000000000\nSEARCHEDLOGSTREAMS\tTrue\t{STREAM}\n",
        f"b/3700/s\tf/3700/s\nEVENTS\t1700000000000\t{ACCEPTED}\t1700000000000\n",
        f"{ACCEPTED}\n",
        f"{ACCEPTED}\t\n",
    ],
    ids=["filter-log-events", "get-log-events", "one message", "a tab at the end"],
)
def test_text_output_of_the_cli_is_read(text: str) -> None:
    """`--output text` separates cells with tabs."""
    held = read_all(text)
    assert (held.flows, held.malformed) == (flows_of(ACCEPTED), [])


def test_messages_in_one_line_are_separate_records() -> None:
    """`--query 'events[].message' --output text` writes all of them in a line."""
    held = read_all(f"{ACCEPTED}\t{NODATA}\t{REJECTED}\todd one\n")
    assert held.flows == flows_of(ACCEPTED, REJECTED)
    assert [(number, bad.line) for number, bad in held.malformed] == [(1, "odd one")]


@pytest.mark.parametrize("zeros", [1, 5, 100_000])
def test_zeros_before_a_line_are_padding(zeros: int) -> None:
    """A log file that is truncated while it is written begins with them."""
    held = read_all(b"\0" * zeros + f"{ACCEPTED}\n{REJECTED}\n".encode())
    assert held.flows[-1:] == flows_of(REJECTED)
    assert len(held.flows) + len(held.malformed) == 2


def test_a_zero_near_the_beginning_costs_only_its_line() -> None:
    """The source is still text."""
    held = read_all(f"{ACCEPTED}\n2 1111\x002222\n{REJECTED}\n" + f"{ACCEPTED}\n" * 3)
    assert (len(held.flows), [number for number, _ in held.malformed]) == (5, [2])
