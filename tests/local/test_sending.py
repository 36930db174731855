"""An event is sent with its settings; what of it is not applied is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.environment import PROJECT
from local.payload import AccountState, ExistingFlowLog, ReadableEvent, read
from local.sending import applied, notes


@dataclass
class FakeFunctions:
    """The configuration of one function."""

    variables: Mapping[str, str] = field(default_factory=lambda: {"DRY_RUN": "false", "STATE_TABLE": "state"})
    updates: int = 0

    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        """The variables."""
        return {"Environment": {"Variables": self.variables}}

    def update_function_configuration(self, *, Environment: Mapping[str, Any], **_: str) -> None:  # noqa: N803
        """Replace the variables."""
        self.variables = Environment["Variables"]
        self.updates += 1


@dataclass
class FakeClients:
    """Only the client of Lambda."""

    functions: FakeFunctions = field(default_factory=FakeFunctions)


def test_settings_apply_to_one_event() -> None:
    """They replace the function's own, which it has again after that, also after a failure."""
    clients: Any = FakeClients()
    own = clients.functions.variables
    with applied({"DRY_RUN": "true"}, "enforcer", clients):
        assert clients.functions.variables == {"DRY_RUN": "true", "STATE_TABLE": "state"}
    assert clients.functions.variables == own
    with pytest.raises(KeyError), applied({"DRY_RUN": "true"}, "enforcer", clients):
        raise KeyError
    assert clients.functions.variables == own


def test_an_event_without_settings_changes_no_function() -> None:
    """The function stays warm."""
    clients: Any = FakeClients()
    with applied({}, "enforcer", clients):
        assert clients.functions.updates == 0
    assert clients.functions.updates == 0


def test_notes_name_what_an_event_changes_and_what_is_ignored() -> None:
    """Nothing is said about an event that is sent as it is."""
    assert [*notes(ReadableEvent(event={}))] == []
    account = AccountState(
        flow_logs=(ExistingFlowLog(flow_log_id="fl-1", resource_id="vpc-1"),), pending=({},), log_groups=()
    )
    settings, unsupported, ignored = notes(
        ReadableEvent(event={}, settings={"DRY_RUN": "true"}, account=account)
    )
    assert settings.endswith("instead of the stack's: DRY_RUN.")
    assert "does not support account.flow_logs (" in unsupported
    assert (
        ignored
        == "`make send` ignores account.pending and account.log_groups of the event; `make invoke` does not."
    )


def test_every_setting_of_an_example_is_named() -> None:
    """None is ignored silently."""
    for path in (PROJECT / "events").glob("*/*.json"):
        event, said = read(path), " ".join(notes(read(path)))
        assert all(name in said for name in event.settings)
