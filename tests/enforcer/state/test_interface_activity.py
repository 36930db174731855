"""Which interfaces write records, according to EC2's descriptions of them and of their instances."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.state.interface_activity import has_instance, judged, writes_since
from flowwarden.network.interface import NetworkInterface
from tests.enforcer.cases import ACTIVE, NOW
from tests.enforcer.fakes import ACCOUNT

HOST = replace(ACTIVE, instance_id="i-1", instance_owner=ACCOUNT, since=100)


def activity(interface: NetworkInterface, running: Mapping[str, int | None] | None) -> NetworkInterface:
    """One interface with its activity."""
    (found,) = judged([interface], running, ACCOUNT)
    return found


def test_an_interface_of_a_running_instance_is_active_since_its_launch() -> None:
    """An interface that was attached to a running instance is active since then."""
    assert activity(HOST, {"i-1": 200}) == replace(HOST, since=200)
    assert activity(HOST, {"i-1": 50}) == HOST
    assert activity(HOST, {"i-1": None}) == HOST
    assert activity(replace(HOST, since=None), {"i-1": None}).since is None


def test_an_interface_of_a_stopped_instance_is_not_active() -> None:
    """The listing contains only running instances."""
    assert activity(HOST, {"i-2": 200}).active is False
    assert activity(replace(HOST, instance_owner=""), {}).active is False


@pytest.mark.parametrize(
    ("interface", "running"),
    [(HOST, None), (replace(HOST, instance_owner="444455556666"), {"i-2": 200})],
)
def test_activity_is_unknown_without_a_listing_or_for_other_accounts(
    interface: NetworkInterface, running: Mapping[str, int | None] | None
) -> None:
    """The interface counts neither as active nor as inactive."""
    assert activity(interface, running).active is None


def test_an_interface_without_instance_or_attachment_is_not_changed() -> None:
    """No instance has to be listed for it."""
    for interface in (ACTIVE, replace(HOST, active=False)):
        assert not has_instance(interface)
        assert activity(interface, None) == activity(interface, {}) == interface
    assert has_instance(HOST)


@pytest.mark.parametrize(
    ("interface", "writes"),
    [
        (ACTIVE, True),
        (replace(ACTIVE, since=NOW - 60), True),
        (replace(ACTIVE, since=NOW - 59), False),
        (replace(ACTIVE, active=None), False),
        (replace(ACTIVE, active=False), False),
    ],
)
def test_records_are_expected_after_certain_activity_for_a_while(
    interface: NetworkInterface,
    writes: bool,  # noqa: FBT001  a table's column
) -> None:
    """An unknown age counts as old; an unknown state does not count as active."""
    assert writes_since(interface, 60, NOW) is writes
