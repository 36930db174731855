"""What the template and the functions contain, as far as it costs money."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from typing import Final

import enforcer
from benchmarks.cost.model import Stack
from benchmarks.layouts import template

OF_SINKS: Final = frozenset({"HasSinks"})
"""Conditions of resources for sinks that are off by default."""


def resource_types() -> Counter[str]:
    """How many resources of each type a stack without further sinks has, in any Region."""
    resources = template()["Resources"].values()
    return Counter(each["Type"] for each in resources if each.get("Condition") not in OF_SINKS)


def of_template() -> Stack:
    """The stack as it is deployed by default, with the alarms of all Regions."""
    types, resources = resource_types(), template()["Resources"]

    def megabytes(name: str) -> int:
        memory: int = resources[name]["Properties"]["MemorySize"]
        return memory

    return Stack(
        alarms=types["AWS::CloudWatch::Alarm"],
        metrics=len(enforcer_metrics()),
        keys=types["AWS::KMS::Key"],
        monitor_mb=megabytes("MonitorFunction"),
        enforcer_mb=megabytes("EnforcerFunction"),
        dispatcher_mb=megabytes("DispatcherFunction"),
    )


def enforcer_metrics() -> list[str]:
    """The metrics that the enforcer emits for each run: the names in its function."""
    return re.findall(r'"([A-Z]\w+)":', inspect.getsource(enforcer.count))
