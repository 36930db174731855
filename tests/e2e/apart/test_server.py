"""The AWS emulator always stops at the end of its block, and never uses the user's AWS settings."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.server import FOLDERS, SCRATCH, EmbeddedAws

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[3]
HOLD = """
from local.server import EmbeddedAws
import time
with EmbeddedAws("held") as aws:
    print(aws.port, flush=True)
    time.sleep(600)
"""


def test_the_server_stops_when_the_block_fails() -> None:
    """An exception in the block leaves neither a running server nor its unpacked files."""
    aws = EmbeddedAws("failing")
    with pytest.raises(AssertionError, match="the server answers"):
        fail_inside(aws)
    assert not listens(aws.port)
    assert not (aws.folder / SCRATCH).exists()
    assert not [*FOLDERS.glob(f"{aws.name}-{os.getpid()}*")]


def fail_inside(aws: EmbeddedAws) -> None:
    """Raise while the server runs."""
    with aws:
        assert not listens(aws.port), "the server answers"


@pytest.mark.usefixtures("interruptible")
def test_the_server_stops_on_ctrl_c() -> None:
    """The interrupt ends the block."""
    with subprocess.Popen([sys.executable, "-c", HOLD], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL, env=project_path()) as holder:  # fmt: skip
        assert holder.stdout is not None
        port = int(holder.stdout.readline())
        assert listens(port)
        holder.send_signal(signal.SIGINT)
        holder.wait(30)
    assert not listens(port)


def test_two_servers_with_the_same_name_are_independent() -> None:
    """As when the demo runs twice at the same time."""
    with EmbeddedAws("twin") as one, EmbeddedAws("twin") as other:
        assert one.folder != other.folder
        assert listens(one.port)
        assert listens(other.port)
    with EmbeddedAws("twin") as later:
        assert later.name == "twin"


def test_the_server_listens_only_on_loopback() -> None:
    """Other machines cannot reach it."""
    with EmbeddedAws("loopback") as aws:
        assert listens(aws.port)
        assert not listens(aws.port, "127.0.0.2")


def test_clients_ignore_the_users_profile() -> None:
    """A missing profile and an unreachable proxy have no effect."""
    script = """
from local.server import EmbeddedAws
with EmbeddedAws("profile") as aws:
    print(len(aws.clients.ec2.describe_vpcs()["Vpcs"]))
"""
    hostile = {
        "AWS_PROFILE": "production",
        "AWS_REGION": "us-gov-west-1",
        "AWS_ENDPOINT_URL_EC2": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=project_path() | hostile,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "1", done.stderr


def project_path() -> dict[str, str]:
    """An environment in which a script can import the project."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": f"{ROOT / 'layers' / 'flowwarden'}:{ROOT}",
    }


def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Whether the port accepts connections; repeated for a moment, because ports close slowly."""
    for _ in range(3):
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) != 0:
                return False
        time.sleep(0.05)
    return True
