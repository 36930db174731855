"""Which findings are the same incident."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.monitor.detectors import blocked_connection
from flowwarden.monitor.findings import InterfaceFinding, Severity, UnparsedFinding
from flowwarden.monitor.render.incident_key import account_of, incident_key
from flowwarden.monitor.render.text import describe
from flowwarden.network.services import SERVICE_NAMES
from tests.flows import rejected
from tests.monitor.batches import triaged


def key(source: str = "10.0.1.20:50000", target: str = "10.0.2.30:5432", **given: Any) -> str:
    """The key of a blocked connection."""
    (finding,) = triaged([rejected(source, target, **given)])
    return incident_key(finding, "111122223333", "eu-west-1", "/flow-warden/flow-logs")


def test_changes_between_batches_do_not_change_the_incident() -> None:
    """Ephemeral ports, the logging interface, times, sums, and the replica."""
    same = {
        key(),
        key(source="10.0.1.20:61234"),
        key(interface_id="eni-2"),
        key(start=1, end=2, packets=77),
        key(target="10.0.2.31:5432"),
    }
    assert len(same) == 1


@pytest.mark.parametrize(
    ("named", "account"),
    [
        ("unknown", None), (None, None), ("-", None), ("null", None), ("Unknown", None), ("4444", None),
        ("444455556666", "444455556666"),
    ],
)  # fmt: skip
def test_an_unknown_account_is_no_account(named: str | None, account: str | None) -> None:
    """AWS writes `unknown` for interfaces of its own, other tools other words: an account has twelve digits.

    The page then names the owner of the log group.
    """
    (finding,) = triaged([rejected("10.0.1.20:50000", "10.0.2.30:5432", account_id=named)])
    assert account_of(finding) == account


def test_another_host_service_vpc_or_peer_class_is_another_incident() -> None:
    """On-call handles these separately."""
    different = {
        key(),
        key(source="10.0.1.21:50000"),
        key(target="10.0.2.30:6379"),
        key(vpc_id="vpc-1"),
        key(target="198.51.100.7:5432"),
    }
    assert len(different) == 5


def test_a_renamed_service_keeps_its_incident_and_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys contain numbers: a better name for a port must not page on-call again."""

    def keys() -> tuple[str, list[str], str]:
        (finding,) = triaged([rejected("10.0.1.20:50000", "10.0.2.30:5432")])
        added = blocked_connection.refusals(finding, "vpc-1", 1_764_000_120)
        return (
            incident_key(finding, "111122223333", "eu-west-1", "/flow-warden/flow-logs"),
            [added.key],
            describe(finding).summary,
        )

    before = keys()
    monkeypatch.setitem(SERVICE_NAMES, 5432, "Renamed")
    after = keys()
    assert after[:2] == before[:2]
    assert after[2] != before[2], "the text follows the name"


def test_unparsed_lines_of_a_log_group_are_one_incident() -> None:
    """A changed format makes a thousand streams unparsable; another log group is another incident."""
    loss = UnparsedFinding(
        detector="unparsed-lines", severity=Severity.MEDIUM, subject="/flow-logs", lines=9,
        unreadable=9, reasons=(), samples=(), formats=(),
    )  # fmt: skip
    other = replace(loss, subject="/other")
    keys = [incident_key(one, "1", "eu-west-1", one.subject) for one in (loss, loss, other)]
    assert keys[0] == keys[1] != keys[2]


def test_silent_interfaces_are_an_incident_each() -> None:
    """In their log group, regardless of what changes from batch to batch."""
    silent = InterfaceFinding(
        detector="interface-silent", severity=Severity.MEDIUM, subject="eni-0a", facts=None,
        interfaces=("eni-0a",), first=1, last=2,
    )  # fmt: skip
    later, other = replace(silent, first=3, last=4), replace(silent, subject="eni-0b")
    keys = [incident_key(one, "1", "eu-west-1", "/flow-logs") for one in (silent, later, other)]
    assert keys[0] == keys[1] != keys[2]
