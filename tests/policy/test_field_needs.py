"""The fields that a format must have, and which detectors find less without others."""

from __future__ import annotations

import pytest

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.detectors.base import Need
from flowwarden.policy.field_needs import DETECTORS_BY_FIELD, REQUIRED, lacking, losses
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT

DEFAULT = DEFAULT_LOG_FORMAT.to_log_format()
FIELDS = {Need.TCP_FLAGS: "tcp-flags", Need.SUBNET_ID: "subnet-id"}
"""The needs that are fields."""


def test_the_table_is_what_the_detectors_declare() -> None:
    """The enforcer does not import them."""
    declared = {
        name: tuple(sorted(each.name for each in DETECTORS if need in each.needs))
        for need, name in FIELDS.items()
    }
    assert declared == dict(DETECTORS_BY_FIELD)
    assert {each for one in DETECTORS for each in one.needs} <= {*FIELDS, Need.BASELINE, Need.HEARTBEATS}


def test_the_default_format_is_good_enough_and_loses_what_it_lacks() -> None:
    """AWS's own default has no field of version 3."""
    assert lacking(DEFAULT) == ()
    assert losses(DEFAULT) == dict(DETECTORS_BY_FIELD)
    assert losses(f"{DEFAULT} ${{tcp-flags}} ${{subnet-id}}") == {}


@pytest.mark.parametrize("field", REQUIRED)
def test_without_a_required_field_a_format_is_not_good_enough(field: str) -> None:
    """The missing one is named."""
    assert lacking(DEFAULT.replace(f"${{{field}}}", "").strip().replace("  ", " ")) == (field,)


@pytest.mark.parametrize("unknown", ["", "no format", "${srcaddr} ${srcaddr}"])
def test_a_format_that_cannot_be_read_is_not_good_enough(unknown: str) -> None:
    """Its records would be unreadable."""
    assert lacking(unknown) != ()


def test_a_format_that_is_not_described_is_unknown() -> None:
    """EC2 may omit it: the records that arrive decide."""
    assert lacking(None) == ()
    assert losses(None) == {}
