"""Whether the functions exist, are ready, and have the code and settings of the deployment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.fact import Unread
from flowwarden.doctor.facts import Facts, FunctionState
from flowwarden.doctor.fixes import DEPLOY, RESTORE
from flowwarden.doctor.line import Found, Problem, Verdict
from flowwarden.parameters import PARAMETERS

RUNTIME: Final = "python3.13"
LAYERS: Final = 2
"""The packages that others wrote, and the package `flowwarden`."""
DISPATCHER: Final = "DispatcherFunction"

MISSING: Final = Problem(
    name="function-missing",
    verdict=Verdict.FAILED,
    text="the function does not exist",
    fix=RESTORE,
)
NOT_READY: Final = Problem(
    name="function-not-ready",
    verdict=Verdict.FAILED,
    text="Lambda does not run the function, its state is {state}: {reason}",
    fix="correct the cause; then update the function's configuration, or deploy another version",
)
UPDATE_FAILED: Final = Problem(
    name="function-update-failed",
    verdict=Verdict.FAILED,
    text="the last update of the function failed, so it runs its earlier version: {reason}",
    fix=DEPLOY,
)
RUNTIME_DIFFERS: Final = Problem(
    name="function-runtime",
    verdict=Verdict.FAILED,
    text=f"the function has the runtime {{runtime}}; its layers are built for {RUNTIME}",
    fix=f"aws lambda update-function-configuration --function-name {{name}} --runtime {RUNTIME} --region "
    f"{{region}}",
)
LAYERS_MISSING: Final = Problem(
    name="function-layers",
    verdict=Verdict.FAILED,
    text="the function has {layers}, and the other functions of the stack have {others}",
    fix=RESTORE,
)
STOPPED: Final = Problem(
    name="function-stopped",
    verdict=Verdict.FAILED,
    text="the reserved concurrency of the function is 0, so Lambda never runs it",
    fix="aws lambda delete-function-concurrency --function-name {name} --region {region}; if the parameter "
    "MonitorReservedConcurrency or EnforcerReservedConcurrency is 0, deploy with another value",
)
SETTINGS_DIFFER: Final = Problem(
    name="function-settings",
    verdict=Verdict.WARNING,
    text="variables of the function differ from the parameters of the stack: {names}",
    fix="deploy with the values that you want, or set them back with aws lambda "
    "update-function-configuration --function-name {name} --region {region}",
)
PLANS_ONLY: Final = Problem(
    name="enforcer-dry-run",
    verdict=Verdict.WARNING,
    text="the enforcer only plans (DryRun), so it neither creates nor repairs flow logs",
    fix="deploy with DryRun=no when flowwarden plan --stack {stack} --region {region} shows what you want",
)
NO_QUEUE: Final = Problem(
    name="function-failures-lost",
    verdict=Verdict.FAILED,
    text="events that the function cannot process are sent to no failure queue, so they are lost",
    fix=RESTORE,
)


def _judge(logical_id: str, function: FunctionState, facts: Facts) -> Iterator[Found | Unread]:
    if function.state not in {"", "Active", "Inactive"}:  # inactive: not run for weeks; a call wakes it
        yield NOT_READY.of(state=function.state, reason=function.state_reason or "no reason is given")
    if function.update == "Failed":
        yield UPDATE_FAILED.of(reason=function.update_reason or "no reason is given")
    if function.runtime != RUNTIME:
        yield RUNTIME_DIFFERS.of(runtime=function.runtime or "unknown", name=function.name)
    yield from _layers(logical_id, function, facts)
    if isinstance(function.reserved, Unread):
        yield function.reserved
    elif function.reserved == 0:
        yield STOPPED.of(name=function.name)
    if isinstance(function.on_failure, Unread):
        yield function.on_failure
    elif not function.on_failure and logical_id != DISPATCHER:  # the next minute's run does the same
        yield NO_QUEUE.of()
    if names := _differing(function, facts):
        yield SETTINGS_DIFFER.of(names=", ".join(names), name=function.name)
    if function.variables.get("DRY_RUN") == "true":
        yield PLANS_ONLY.of()


def _layers(logical_id: str, function: FunctionState, facts: Facts) -> Iterator[Found]:
    """The layers are those of the other functions; without one of them, the function cannot start."""
    others = [
        each.layers
        for name, each in facts.functions.items()
        if isinstance(each, FunctionState) and name != logical_id
    ]
    usual = max(others, key=others.count, default=function.layers)
    odd = function.layers != usual and others.count(usual) > 1
    if len(function.layers) < LAYERS or odd:
        names = ", ".join(each.partition(":layer:")[2] or each for each in function.layers) or "no layers"
        shown = ", ".join(each.partition(":layer:")[2] or each for each in usual) or "none"
        yield LAYERS_MISSING.of(layers=names, others=shown)


def _differing(function: FunctionState, facts: Facts) -> list[str]:
    """The variables whose parameter has another value; a function has only some of the variables."""
    wanted = {
        PARAMETERS[name].variable: value
        for name, value in facts.stack.parameters.items()
        if name in PARAMETERS
    }
    has = function.variables
    return sorted(name for name, value in wanted.items() if name in has and has[name] != value)


CHECK: Final = Check(
    name="functions",
    verifies="each function exists and is ready, with the runtime, layers, settings and failure queue of "
    "the deployment, and without a concurrency of 0",
    sound="ready, with the runtime, layers and settings of the deployment",
    subjects=lambda facts: facts.functions,
    judge=_judge,
    missing=MISSING,
    problems=(
        MISSING, NOT_READY, UPDATE_FAILED, RUNTIME_DIFFERS, LAYERS_MISSING, STOPPED, SETTINGS_DIFFER,
        PLANS_ONLY, NO_QUEUE,
    ),
)  # fmt: skip
