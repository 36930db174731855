"""Which layouts are tried, from what EC2 tells."""

from __future__ import annotations

import pytest

from flowwarden.records.format_choice import Learned, candidates
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat

AT = 1_764_000_000
CONFIGURED = LogFormat.parse("${srcaddr} ${dstaddr} ${action} ${log-status}")
FALLBACK = (CONFIGURED, DEFAULT_LOG_FORMAT)
SWAPPED = LogFormat.parse("${dstaddr} ${srcaddr} ${action} ${log-status}")
LONGER = LogFormat.parse("${srcaddr} ${dstaddr} ${srcport} ${action} ${log-status}")


def tried(*formats: str | None) -> tuple[LogFormat, ...]:
    """The layouts for flow logs of these formats."""
    return candidates(Learned.of(formats, AT), FALLBACK).layouts


def test_what_was_learned_is_each_format_once() -> None:
    """A thousand flow logs of one format are one format; the order that EC2 tells them in is no news."""
    assert (
        Learned.of(["b", "a", "b"], AT)
        == Learned.of(["a", "b"], AT)
        == Learned(("a", "b"), untold=False, at=AT)
    )
    assert Learned.of(["a", None], AT) == Learned.of(["a", ""], AT) == Learned(("a",), untold=True, at=AT)


def test_without_knowledge_the_fallback_is_tried() -> None:
    """Nothing was learned, nothing is described, or EC2 tells no format."""
    assert candidates(None, FALLBACK).layouts == tried() == tried(None) == FALLBACK


def test_learned_formats_come_first_and_the_fallback_fills_up() -> None:
    """Older flow logs of the default format, and flow logs of other accounts, are read all the same."""
    assert tried(LONGER.to_log_format()) == (LONGER, CONFIGURED, DEFAULT_LOG_FORMAT)


def test_a_fallback_that_could_be_mistaken_for_a_learned_format_is_left_out() -> None:
    """Nobody writes it, and with it every line would fit two formats alike."""
    assert tried(SWAPPED.to_log_format()) == (SWAPPED, DEFAULT_LOG_FORMAT)


def test_learned_formats_of_one_length_are_all_tried() -> None:
    """They are really written; what fits several is malformed, and not for the choice to hide."""
    assert set(tried(SWAPPED.to_log_format(), CONFIGURED.to_log_format())) == {
        SWAPPED, CONFIGURED, DEFAULT_LOG_FORMAT,
    }  # fmt: skip


def test_a_flow_log_whose_format_is_not_told_may_write_the_configured_one() -> None:
    """So that one is tried beside a learned one of its length: unsure lines are malformed, not guessed."""
    assert tried(SWAPPED.to_log_format(), None) == (SWAPPED, CONFIGURED, DEFAULT_LOG_FORMAT)


def test_the_default_format_gives_way_to_a_configured_one_of_its_length() -> None:
    """Otherwise every line of the configured one would fit both."""
    names = list(DEFAULT_LOG_FORMAT.names)
    names[3], names[4] = names[4], names[3]
    configured = LogFormat(tuple(names))
    assert candidates(None, (configured, DEFAULT_LOG_FORMAT)).layouts == (configured,)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("${version} ${bytes}", "lacks"),
        ("${Version!}", "no field name"),
        ("nonsense", "no field of flow logs"),
    ],
)
def test_a_format_that_cannot_be_read_is_noted_and_spoils_no_other(text: str, why: str) -> None:
    """Somebody else's flow log must not take the sight of ours."""
    chosen = candidates(Learned.of([text, LONGER.to_log_format()], AT), FALLBACK)
    assert chosen.layouts == (LONGER, CONFIGURED, DEFAULT_LOG_FORMAT)
    (note,) = chosen.notes
    assert why in note


def test_a_format_without_addresses_is_known_all_the_same() -> None:
    """Its lines are malformed, and not taken for those of a fallback that has as many fields."""
    chosen = candidates(Learned.of(["${vpc-id} ${start} ${action} ${log-status}"], AT), FALLBACK)
    assert chosen.layouts == (DEFAULT_LOG_FORMAT,)
    assert chosen.blind == (LogFormat.parse("${vpc-id} ${start} ${action} ${log-status}"),)
    only = candidates(Learned.of([SWAPPED.to_log_format(), "${vpc-id}"], AT), FALLBACK)
    assert only.layouts == (SWAPPED, DEFAULT_LOG_FORMAT)


def test_a_field_that_is_not_known_is_noted() -> None:
    """It is kept as text; a newer version may know it."""
    chosen = candidates(Learned.of(["${srcaddr} ${dstaddr} ${brand-new}"], AT), FALLBACK)
    assert chosen.notes == ("fields that this version does not know are kept as text: brand-new",)
    assert candidates(None, FALLBACK).notes == ()
