"""Checks before a deployment that the policy's `report_only` names detectors that notify.

A running monitor does not check it: a name that is no detector's does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowwarden.bootstrap.mutes import detector_names
from flowwarden.errors import PolicyError

NEVER_NOTIFY: Final = frozenset({"internet-rejects", "ping-sweep", "reject-spike"})
"""Detectors whose findings never notify."""
_SHOWN: Final = 80


def check_report_only(names: Sequence[str]) -> None:
    """Reject what can have no effect.

    Raises:
        PolicyError: the first problem, with path, value and what is allowed.
    """
    notifying = detector_names() - NEVER_NOTIFY
    for number, name in enumerate(names):
        if name not in notifying:
            problem = "never notifies" if name in NEVER_NOTIFY else "is not a detector"
            allowed = ", ".join(sorted(notifying))
            raise PolicyError(
                f"policy: report_only[{number}]: {name[:_SHOWN]!r} {problem}; write one of {allowed}"
            )
