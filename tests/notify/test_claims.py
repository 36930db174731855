"""Which findings are the same incident."""

from __future__ import annotations

from typing import Any

import pytest

from flowwarden.monitor.detectors import blocked_connection
from flowwarden.monitor.render.incident_key import incident_key
from flowwarden.monitor.triage import inspect
from flowwarden.network.services import SERVICE_NAMES
from flowwarden.notify.claims import Owner
from flowwarden.policy.policy import Policy
from tests.flows import directed, rejected


def key(source: str = "10.0.1.20:50000", target: str = "10.0.2.30:5432", **given: Any) -> str:
    """The key of a blocked connection."""
    (finding,) = inspect(directed(rejected(source, target, **given)), Policy())
    return incident_key(finding, "111122223333", "eu-west-1")


def test_what_changes_from_batch_to_batch_does_not_change_the_incident() -> None:
    """Ephemeral ports, the interface that saw it, times, sums, and which replica was asked."""
    same = {
        key(),
        key(source="10.0.1.20:61234"),
        key(interface_id="eni-2"),
        key(start=1, end=2, packets=77),
        key(target="10.0.2.31:5432"),
    }
    assert len(same) == 1


def test_another_host_service_vpc_or_side_of_the_border_is_another_incident() -> None:
    """What on-call would treat apart is apart."""
    different = {
        key(),
        key(source="10.0.1.21:50000"),
        key(target="10.0.2.30:6379"),
        key(vpc_id="vpc-1"),
        key(target="198.51.100.7:5432"),
    }
    assert len(different) == 5


def test_an_owner_knows_its_batch_in_what_was_stored() -> None:
    """A retry and a second delivery have the batch in common."""
    owner = Owner("batch-a", "request-1")
    assert owner.same_batch(str(Owner("batch-a", "request-2")))
    assert not owner.same_batch(str(Owner("batch-b", "request-1")))
    assert not owner.same_batch("")


def test_a_service_that_is_renamed_keeps_its_incident_and_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys hold numbers: a better name for a port must not page on-call again."""

    def keys() -> tuple[str, list[str], str]:
        (finding,) = inspect(directed(rejected("10.0.1.20:50000", "10.0.2.30:5432")), Policy())
        added = blocked_connection.refusals(finding, "vpc-1", 1_764_000_120)
        return (
            incident_key(finding, "111122223333", "eu-west-1"),
            [each.key for each in added],
            finding.summary,
        )

    before = keys()
    monkeypatch.setitem(SERVICE_NAMES, 5432, "Renamed")
    after = keys()
    assert after[:2] == before[:2]
    assert after[2] != before[2], "the text for people follows the name"
