"""Faults of calls: fakes of AWS whose call number `k` fails once, before or after it took effect."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from functools import partial
from typing import Any

from tests.notify.fakes import CrashError


class Fault(StrEnum):
    """How a call fails."""

    REFUSED = "refused"
    """The service answers with an error; the call had no effect."""
    UNANSWERED = "unanswered"
    """The call took effect, and its answer is lost."""
    CRASH_BEFORE = "crash before"
    """The function ends before the call, and its container with it."""
    CRASH_AFTER = "crash after"
    """The function ends after the call, and its container with it."""

    @property
    def takes_effect(self) -> bool:
        """Whether the call had an effect."""
        return self in {Fault.UNANSWERED, Fault.CRASH_AFTER}

    @property
    def crashes(self) -> bool:
        """Whether the container ends."""
        return self in {Fault.CRASH_BEFORE, Fault.CRASH_AFTER}


class Faults:
    """Counts the calls of all ports, and makes one of them fail."""

    def __init__(self, number: int = -1, fault: Fault = Fault.REFUSED) -> None:
        """`number` is the call that fails, from 0; without it, none does."""
        self.number = number
        self.fault = fault
        self.calls: list[str] = []
        """The name of each call."""

    def port(
        self, port: Any, errors: Mapping[Fault, Exception] | Exception, local: Collection[str] = ()
    ) -> Any:
        """The port, with the error that it raises for a call that fails.

        Args:
            port: a fake.
            errors: one error, or one for each of the faults that do not crash.
            local: methods that call no service.
        """
        return _Port(self, port, errors, local)

    def call(self, name: str, made: Callable[[], Any], errors: Mapping[Fault, Exception] | Exception) -> Any:
        """Make a call, unless it is the one that fails."""
        self.calls.append(name)
        if len(self.calls) - 1 != self.number:
            return made()
        if self.fault.takes_effect:
            made()
        if self.fault.crashes:
            raise CrashError(f"at {name}")
        raise errors if isinstance(errors, Exception) else errors[self.fault]


class _Port:
    """A port whose calls are counted and can fail."""

    def __init__(
        self,
        faults: Faults,
        port: Any,
        errors: Mapping[Fault, Exception] | Exception,
        local: Collection[str],
    ) -> None:
        self._faults, self._port, self._errors, self._local = faults, port, errors, local

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        calls = callable(found) and name not in self._local
        return partial(self._call, name, found) if calls else found

    def _call(self, name: str, method: Callable[..., Any], *given: Any, **named: Any) -> Any:
        call = f"{type(self._port).__name__}.{name}"
        return self._faults.call(call, lambda: _whole(method(*given, **named)), self._errors)


def _whole(answer: Any) -> Any:
    """Read a lazy answer completely, so that its call fails where it is made."""
    return list(answer) if hasattr(answer, "__next__") else answer
