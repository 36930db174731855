"""The layouts to try, from the log formats that EC2 reports."""

from __future__ import annotations

import pytest

from flowwarden.records.format_choice import LearnedFormats, candidates
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat

AT = 1_764_000_000
CONFIGURED = LogFormat.parse("${srcaddr} ${dstaddr} ${action} ${log-status}")
FALLBACK = (CONFIGURED, DEFAULT_LOG_FORMAT)
SWAPPED = LogFormat.parse("${dstaddr} ${srcaddr} ${action} ${log-status}")
LONGER = LogFormat.parse("${srcaddr} ${dstaddr} ${srcport} ${action} ${log-status}")


def tried(*formats: str | None) -> tuple[LogFormat, ...]:
    """The layouts for flow logs of these formats."""
    return candidates(LearnedFormats.of(formats, AT), FALLBACK).layouts


def test_each_learned_format_is_stored_once() -> None:
    """Many flow logs with one format are one format; EC2's order does not matter."""
    assert (
        LearnedFormats.of(["b", "a", "b"], AT)
        == LearnedFormats.of(["a", "b"], AT)
        == LearnedFormats(("a", "b"), unreported=False, at=AT)
    )
    assert (
        LearnedFormats.of(["a", None], AT)
        == LearnedFormats.of(["a", ""], AT)
        == LearnedFormats(("a",), unreported=True, at=AT)
    )


def test_without_learned_formats_the_fallback_is_used() -> None:
    """Nothing was learned, nothing is described, or EC2 reports no format."""
    assert candidates(None, FALLBACK).layouts == tried() == tried(None) == FALLBACK


def test_learned_formats_precede_the_fallback() -> None:
    """Older flow logs with the default format and flow logs of other accounts can still be read."""
    assert tried(LONGER.to_log_format()) == (LONGER, CONFIGURED, DEFAULT_LOG_FORMAT)


def test_a_fallback_that_is_ambiguous_with_a_learned_format_is_omitted() -> None:
    """It is not in use, and with it every line would match two formats."""
    assert tried(SWAPPED.to_log_format()) == (SWAPPED, DEFAULT_LOG_FORMAT)


def test_learned_formats_of_the_same_length_are_all_tried() -> None:
    """They are all in use; lines that match several are malformed."""
    assert set(tried(SWAPPED.to_log_format(), CONFIGURED.to_log_format())) == {
        SWAPPED, CONFIGURED, DEFAULT_LOG_FORMAT,
    }  # fmt: skip


def test_a_flow_log_with_an_unreported_format_may_use_the_configured_one() -> None:
    """So it is tried beside a learned one of the same length: ambiguous lines are malformed, not guessed."""
    assert tried(SWAPPED.to_log_format(), None) == (SWAPPED, CONFIGURED, DEFAULT_LOG_FORMAT)


def test_a_configured_format_of_the_same_length_replaces_the_default_one() -> None:
    """Otherwise every line of the configured one would match both."""
    names = list(DEFAULT_LOG_FORMAT.names)
    names[3], names[4] = names[4], names[3]
    configured = LogFormat(tuple(names))
    assert candidates(None, (configured, DEFAULT_LOG_FORMAT)).layouts == (configured,)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("${version} ${bytes}", "lacks"),
        ("${Version!}", "not a field name"),
        ("nonsense", "no field of flow logs"),
    ],
)
def test_a_format_that_cannot_be_read_is_noted_and_affects_no_other(text: str, why: str) -> None:
    """A flow log of another tool must not blind the monitor to the managed ones."""
    chosen = candidates(LearnedFormats.of([text, LONGER.to_log_format()], AT), FALLBACK)
    assert chosen.layouts == (LONGER, CONFIGURED, DEFAULT_LOG_FORMAT)
    (note,) = chosen.notes
    assert why in note


def test_a_format_without_addresses_is_a_blind_layout() -> None:
    """Its lines are malformed, and do not match a fallback with the same number of fields."""
    chosen = candidates(LearnedFormats.of(["${vpc-id} ${start} ${action} ${log-status}"], AT), FALLBACK)
    assert chosen.layouts == (DEFAULT_LOG_FORMAT,)
    assert chosen.without_addresses == (LogFormat.parse("${vpc-id} ${start} ${action} ${log-status}"),)
    only = candidates(LearnedFormats.of([SWAPPED.to_log_format(), "${vpc-id}"], AT), FALLBACK)
    assert only.layouts == (SWAPPED, DEFAULT_LOG_FORMAT)


def test_an_unknown_field_is_noted() -> None:
    """It is kept as text."""
    chosen = candidates(LearnedFormats.of(["${srcaddr} ${dstaddr} ${brand-new}"], AT), FALLBACK)
    assert chosen.notes == ("unknown fields are kept as text: brand-new",)
    assert candidates(None, FALLBACK).notes == ()
