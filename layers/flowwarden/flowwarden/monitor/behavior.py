"""Behavior: what a detector shows that an acting host does.

Findings of different detectors about one host are one incident, and different behavior is graver than more of
the same. Two detectors that count the same connections show the same behavior.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any


class Behavior(StrEnum):
    """What an internal host does to others."""

    SCAN = "scan"
    """It tries hosts and services, most of which do not answer."""
    ACCESS = "access"
    """It opens answered connections to internal hosts, for remote administration or to guess passwords."""
    EGRESS = "egress"
    """It opens connections out of the network, or sends data there."""


def always(behavior: Behavior) -> Callable[[Any], Behavior]:
    """For detectors whose findings all show the same behavior."""
    return lambda _finding: behavior
