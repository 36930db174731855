"""Runs the real `sam build` and `sam deploy` with the real template, on the AWS emulator."""

from __future__ import annotations

import fcntl
import json
import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from local.clients import Clients
from local.environment import BUILD, PROJECT, environment, tool
from local.packing import pack
from local.processes import run
from local.server import EmbeddedAws, EmbeddedAwsError, relative
from local.sources import fingerprint

STACK = "flow-warden"
ARTIFACTS = "flow-warden-artifacts"
"""Bucket for the code uploaded by `sam deploy`."""

TEMPLATE = PROJECT / "template.yaml"
BUILDS = BUILD / "sam"
"""Contains a folder for each architecture, which contains the builds by fingerprint, and a cache of sam."""
KEPT = 3
"""Builds of an architecture that are kept: a running container reads its code from one of them."""

type Parameters = Mapping[str, str]


class Stack(Struct, frozen=True, kw_only=True):
    """A deployed stack: the names of its resources."""

    flow_log_group: str
    log_format: str
    pages_topic: str
    operations_topic: str
    state_table: str
    monitor: str
    """Name of the monitor's function."""
    enforcer: str
    monitor_failures: str
    """URL of the queue for batches that the monitor could not process."""
    resources: dict[str, str]
    """Physical ids by logical id."""


def architecture() -> str:
    """This machine's architecture, by Lambda's name."""
    return "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


def build(chosen: str | None = None) -> Path:
    """Run `sam build` and return the built template; a build of the same sources is used again.

    Args:
        chosen: the architecture, by Lambda's name; by default this machine's.

    Raises:
        EmbeddedAwsError: the build failed; the message has the end of its output.
    """
    chosen = chosen or architecture()
    builds = BUILDS / chosen
    partial = builds / "partial"
    with _locked(builds / "lock"):
        folder = builds / fingerprint()
        if not folder.exists():
            _sam(
                builds / "build.log",
                environment(),
                "build",
                f"--template-file={TEMPLATE}",
                f"--build-dir={partial}",
                f"--cache-dir={builds / 'cache'}",
                "--cached",
                "--parallel",
                *_overrides(builds / "parameters.yaml", {"Architecture": chosen}),
            )
            partial.rename(folder)
        folder.touch()
        _remove_old(builds)
    return folder / "template.yaml"


def _remove_old(builds: Path) -> None:
    """Keep the builds that were used last."""
    found = (each.parent for each in builds.glob("*/template.yaml"))
    for folder in sorted(found, key=lambda each: each.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(folder)


def deploy(aws: EmbeddedAws, built: Path, parameters: Parameters | None = None) -> Stack:
    """Run `sam deploy` with the built template and describe the deployed stack.

    Raises:
        EmbeddedAwsError: the deployment failed; the message has the end of its output.
    """
    aws.make_bucket(ARTIFACTS)
    with _locked(built.parent.parent / "lock"):
        packed = pack(built)
    given = {"Architecture": architecture(), "AwsEndpointUrl": aws.endpoint, **(parameters or {})}
    _sam(
        aws.folder / "deploy.log",
        aws.environment,
        "deploy",
        f"--template-file={packed}",
        f"--stack-name={STACK}",
        f"--s3-bucket={ARTIFACTS}",
        "--capabilities=CAPABILITY_IAM",
        "--no-confirm-changeset",
        "--no-progressbar",
        *_overrides(aws.folder / "parameters.yaml", given),
    )
    return describe(aws.clients)


def describe(clients: Clients) -> Stack:
    """Describe the deployed stack: its outputs, its resources, and the monitor's log format."""
    answer = clients.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in answer.get("Outputs", [])}
    function = clients.functions.get_function_configuration(FunctionName=outputs["MonitorFunctionName"])
    return Stack(
        flow_log_group=outputs["FlowLogGroupName"],
        log_format=function["Environment"]["Variables"]["LOG_FORMAT"],
        pages_topic=outputs["PagesTopicArn"],
        operations_topic=outputs["OperationsTopicArn"],
        state_table=outputs["StateTableName"],
        monitor=outputs["MonitorFunctionName"],
        enforcer=outputs["EnforcerFunctionName"],
        monitor_failures=outputs["MonitorFailureQueueUrl"],
        resources=_resources(clients),
    )


def _resources(clients: Clients) -> dict[str, str]:
    pages = clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in pages
        for each in page["StackResourceSummaries"]
        if "PhysicalResourceId" in each
    }


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait until no other build is running, because builds share the cache."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _overrides(path: Path, parameters: Parameters) -> list[str]:
    """The parameters in a file (JSON is YAML), because on the command line sam splits values at quotes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(parameters), indent=2))
    return ["--parameter-overrides", path.as_uri()]


def sam_environment(base: Mapping[str, str]) -> dict[str, str]:
    """The environment for sam: its build requires a python3.13 with pip, first on PATH."""
    return {**base, "PATH": f"{tool('sam', 'sam').parent}:{base.get('PATH', '')}"}


def _sam(log: Path, base: Mapping[str, str], *arguments: str) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        code = run([tool("sam", "sam"), *arguments], sam_environment(base), output, output)
    if code != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise EmbeddedAwsError(f"`sam {arguments[0]}` failed; full log: {relative(log)}; last lines:\n{tail}")
