"""Which interfaces write records, by what EC2 tells of them and of their instances."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.state.interface_activity import has_instance, judged, writes_since
from flowwarden.network.interface import NetworkInterface
from tests.enforcer.cases import ACTIVE, NOW
from tests.enforcer.fakes import ACCOUNT

HOST = replace(ACTIVE, instance_id="i-1", instance_owner=ACCOUNT, since=100)


def told(interface: NetworkInterface, running: Mapping[str, int | None] | None) -> NetworkInterface:
    """What is made of one interface."""
    (found,) = judged([interface], running, ACCOUNT)
    return found


def test_an_interface_of_a_running_instance_is_active_since_that_was_started() -> None:
    """One that was attached to a running instance, since then."""
    assert told(HOST, {"i-1": 200}) == replace(HOST, since=200)
    assert told(HOST, {"i-1": 50}) == HOST
    assert told(HOST, {"i-1": None}) == HOST
    assert told(replace(HOST, since=None), {"i-1": None}).since is None


def test_an_interface_of_a_stopped_instance_is_not_active() -> None:
    """Instances that run are all that EC2 was asked for."""
    assert told(HOST, {"i-2": 200}).active is False
    assert told(replace(HOST, instance_owner=""), {}).active is False


@pytest.mark.parametrize(
    ("interface", "running"),
    [(HOST, None), (replace(HOST, instance_owner="444455556666"), {"i-2": 200})],
)
def test_nobody_can_tell_without_an_answer_or_of_other_accounts_instances(
    interface: NetworkInterface, running: Mapping[str, int | None] | None
) -> None:
    """Neither active nor not."""
    assert told(interface, running).active is None


def test_what_has_no_instance_or_is_detached_is_left_as_it_is() -> None:
    """No instance has to be asked about for it."""
    for interface in (ACTIVE, replace(HOST, active=False)):
        assert not has_instance(interface)
        assert told(interface, None) == told(interface, {}) == interface
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
def test_records_are_expected_of_what_has_surely_been_active_for_a_while(
    interface: NetworkInterface,
    writes: bool,  # noqa: FBT001  a table's column
) -> None:
    """An unknown age counts as old, an unknown state as none."""
    assert writes_since(interface, 60, NOW) is writes
