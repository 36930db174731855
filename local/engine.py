"""The container engine: whether it is available, its images, and how containers reach this machine."""

from __future__ import annotations

import json
import socket
import subprocess
from ipaddress import ip_network

from local.environment import environment
from local.server import LOOPBACK, EmbeddedAwsError
from local.stack import architecture

HOST_FROM_CONTAINER = "host.docker.internal"
"""This machine's name inside a container, set with `--add-host`."""


def image() -> str:
    """The image in which `sam local` runs the functions."""
    return f"public.ecr.aws/lambda/python:3.13-{architecture()}"


def why_no_engine() -> str:
    """The reason why containers cannot run here; '' if they can."""
    try:
        done = _docker("info", "--format", "{{.ServerVersion}}")
    except FileNotFoundError:
        return "there is no `docker` command on PATH: install Docker, or Podman with podman-docker"
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()
        return f"no container engine answers (start one, or set DOCKER_HOST): {reason[-1] if reason else ''}"
    return ""


def require() -> None:
    """Raise EmbeddedAwsError with the reason if containers cannot run here."""
    reason = why_no_engine()
    if reason:
        raise EmbeddedAwsError(f"`sam local invoke` runs the function in a container, and {reason}")


def has_image() -> bool:
    """Whether the image is available locally and needs no download."""
    return _docker("image", "inspect", image()).returncode == 0


def address_for_containers() -> str:
    """The listening address that containers can reach, and no other machine can."""
    done = _docker("network", "inspect", "bridge")
    networks = json.loads(done.stdout) if done.returncode == 0 else []
    gateways = [_gateway(each) for net in networks for each in net["IPAM"]["Config"] or ()]
    # If the engine runs in a virtual machine, this machine does not have the bridge's address: the engine
    # forwards containers' calls to this machine's loopback.
    return next(filter(_is_local, gateways), LOOPBACK)


def _gateway(configuration: dict[str, str]) -> str:
    """The bridge's own address; if the engine does not report it, the first address of the subnet."""
    return configuration.get("Gateway") or str(next(ip_network(configuration["Subnet"]).hosts()))


def _is_local(address: str) -> bool:
    try:
        with socket.socket() as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *arguments], env=environment(), capture_output=True, text=True, check=False
    )
