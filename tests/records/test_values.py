"""Conversion of tokens, for each kind of field."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.records.fields import Kind
from flowwarden.records.model import Action, FlowDirection, LogStatus
from flowwarden.records.values import convert

VALID = [
    (Kind.TEXT, "064076352821", "064076352821"),
    (Kind.TEXT, "unknown", "unknown"),
    (Kind.ENCODED_TEXT, "web%20server%2F%E2%82%AC", "web server/€"),
    (Kind.ENCODED_TEXT, "100%", "100%"),
    (Kind.ENCODED_TEXT, "%FF", "%FF"),
    (Kind.ENCODED_TEXT, "a+b", "a+b"),
    (Kind.ADDRESS, "10.0.0.1", "10.0.0.1"),
    (Kind.ADDRESS, "2001:DB8:0::1", "2001:DB8:0::1"),
    (Kind.ADDRESS, "::ffff:1.2.3.4", "::ffff:1.2.3.4"),
    (Kind.PORT, "0", 0),
    (Kind.PORT, "65535", 65535),
    (Kind.PROTOCOL, "255", 255),
    (Kind.COUNT, "9223372036854775807", 9223372036854775807),
    (Kind.FLAGS, "19", 19),
    (Kind.SECONDS, "1700000000", 1700000000),
    (Kind.SECONDS, "1700000000999", 1700000000),
    (Kind.SECONDS, "99999999999", 99999999999),
    (Kind.SECONDS, "100000000000", 100000000),
    (Kind.INTEGER, "08", 8),
    (Kind.COUNT, "-0", 0),
    (Kind.COUNT, "null", None),
    (Kind.ACTION, "NULL", None),
    (Kind.ADDRESS, "Null", None),
    (Kind.TEXT, "null", "null"),
    (Kind.PORT, "0" * 5000 + "80", 80),
    (Kind.ACTION, "REJECT", Action.REJECT),
    (Kind.STATUS, "SKIPDATA", LogStatus.SKIPDATA),
    (Kind.DIRECTION, "egress", FlowDirection.EGRESS),
]
INVALID = [
    (Kind.ADDRESS, "10.0.0"),
    (Kind.ADDRESS, "10.0.0.256"),
    (Kind.ADDRESS, "010.0.0.1"),
    (Kind.ADDRESS, "10.0.0.1/32"),
    (Kind.ADDRESS, "10.0.0.1\n"),
    (Kind.ADDRESS, "٣.0.0.1"),
    (Kind.ADDRESS, "fe80::1%eth0"),
    (Kind.ADDRESS, "example"),
    (Kind.PORT, "65536"),
    (Kind.PORT, "8080.0"),
    (Kind.PORT, "None"),
    (Kind.PROTOCOL, "999"),
    (Kind.FLAGS, "256"),
    (Kind.COUNT, "1_000"),
    (Kind.COUNT, "+5"),
    (Kind.COUNT, "-5"),
    (Kind.COUNT, "-00"),
    (Kind.COUNT, "٣"),
    (Kind.COUNT, "²"),
    (Kind.COUNT, "1e3"),
    (Kind.COUNT, "9223372036854775808"),
    (Kind.COUNT, "9" * 5000),
    (Kind.SECONDS, "1700000000000000"),
    (Kind.SECONDS, "2026-11-24T00:00:00Z"),
    (Kind.ACTION, "SUCCESS"),
    (Kind.ACTION, "accept"),
    (Kind.STATUS, "GO_AWAY"),
    (Kind.DIRECTION, "sideways"),
]


@pytest.mark.parametrize(("kind", "token", "value"), VALID)
def test_a_valid_token_is_converted(kind: Kind, token: str, value: object) -> None:
    """Numbers become integers, milliseconds seconds, tags are decoded, text is kept."""
    converted = convert(kind, token)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(("kind", "token"), INVALID)
def test_an_invalid_token_is_rejected(kind: Kind, token: str) -> None:
    """With a reason, and always with ValueError."""
    with pytest.raises(ValueError, match=r"which is|above|none of|scope id"):
        convert(kind, token)


@pytest.mark.parametrize("kind", Kind)
def test_a_dash_is_absent_for_every_kind(kind: Kind) -> None:
    """AWS writes it if a field does not apply."""
    assert convert(kind, "-") is None


@given(st.sampled_from(Kind), st.text(min_size=1))
def test_any_token_is_converted_or_raises_value_error(kind: Kind, token: str) -> None:
    """No other exception is raised."""
    with suppress(ValueError):
        convert(kind, token)
