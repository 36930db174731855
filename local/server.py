"""Starts ministack, the AWS emulator, waits until it responds, and always stops it."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from local.clients import Clients
from local.environment import ACCOUNT_ID, BUILD, PROJECT, REGION, environment, tool
from local.processes import end_group

FOLDERS = BUILD / "aws"
LOOPBACK = "127.0.0.1"
START_SECONDS = 60
"""Maximum wait for the first response; it takes less than 1 s on an idle machine."""
STOP_SECONDS = 1
SCRATCH = "scratch"
"""Folder for unpacked files, such as the functions' code; removed at the end."""
PROGRAM = PROJECT / "local" / "emulator.py"
ATTEMPTS = 3
"""Start attempts, because another program may take the free port before ministack binds it."""


class EmbeddedAwsError(Exception):
    """The AWS emulator, or a tool that uses it, failed; the message names the log."""


class EmbeddedAws:
    """An AWS emulator on this machine, for the duration of the `with` block.

    All its files are in `build/aws/<name>/`, or in `<name>-2` and so on while another one of that name runs.
    It always stops with its functions at the end of the block, even after an error.

    Args:
        name: the name of its user, such as `demo`.
        host: the address to listen on: loopback, or the address of the container bridge.
    """

    def __init__(self, name: str = "demo", host: str = LOOPBACK) -> None:
        self.host = host
        self.name = name
        self._lock: IO[str] | None = None
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> Path:
        """The folder of its files."""
        return FOLDERS / self.name

    @property
    def log(self) -> Path:
        """Its log, which includes the functions' logs."""
        return self.folder / "ministack.log"

    @property
    def endpoint(self) -> str:
        """Its URL on this machine."""
        return f"http://{self.host}:{self.port}"

    @property
    def clients(self) -> Clients:
        """Clients of its services."""
        return Clients(self.endpoint)

    @property
    def environment(self) -> dict[str, str]:
        """The environment for tools that use it."""
        return environment(self.endpoint)

    def make_bucket(self, name: str) -> None:
        """Create an S3 bucket unless it exists, with one PUT instead of an S3 client."""
        _request(self.host, self.port, "PUT", f"/{name}", HTTPStatus.CONFLICT)

    def __enter__(self) -> Self:
        self.name, self._lock = _reserve(self.name)
        try:
            self._start_and_wait()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        aside = self._set_aside()
        if self._lock is not None:
            self._lock.close()
        shutil.rmtree(aside, ignore_errors=True)

    def _set_aside(self) -> Path:
        """Move the unpacked files, and return where they are.

        They are tens of thousands, and their removal takes seconds, on a busy machine a minute. A process
        that waits for the lock need not wait for that.
        """
        aside = self.folder.with_name(f"{self.name}-{os.getpid()}.removed")
        with suppress(OSError):
            (self.folder / SCRATCH).rename(aside)
        return aside

    def _start_and_wait(self) -> None:
        for _ in range(ATTEMPTS):
            self._start()
            if self._answers():
                return
            self._stop()
        raise EmbeddedAwsError(f"the AWS emulator ended right after its start; see {self.log}")

    def _start(self) -> None:
        program = tool("ministack", "python")
        if not program.exists():
            raise EmbeddedAwsError(f"{program} is missing; run `make setup`")
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / SCRATCH).mkdir(parents=True)
        self.port = _free_port(self.host)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [program, "-P", PROGRAM],  # without this folder's modules on its path
                env=self._own_environment(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Its own group: Ctrl-C reaches only this process, and the emulator's functions end with it.
                start_new_session=True,
            )

    def _own_environment(self) -> dict[str, str]:
        folder = str(self.folder)
        return self.environment | {
            "BIND_HOST": self.host,
            "GATEWAY_PORT": str(self.port),
            # The host to which a custom resource's function sends its response.
            "MINISTACK_HOST": "localhost" if self.host == LOOPBACK else self.host,
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "IOT_MTLS_ENABLED": "0",
            # Failed invocations are retried at once, not after minutes.
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",
            # At its start, ministack removes containers with its labels: those of its address, and those of
            # older versions, which have no address. Without an engine it removes none.
            "DOCKER_HOST": f"unix://{folder}/no-engine.sock",
            "TMPDIR": f"{folder}/{SCRATCH}",
            "STATE_DIR": f"{folder}/state",
            "S3_DATA_DIR": f"{folder}/s3",
        }

    def _answers(self) -> bool:
        """Wait for the first response; False if the process ended instead."""
        deadline = time.monotonic() + START_SECONDS
        while self._process is not None and self._process.poll() is None:
            if _is_healthy(self.host, self.port):
                return True
            if time.monotonic() > deadline:
                raise EmbeddedAwsError(
                    f"the AWS emulator did not respond within {START_SECONDS} s; see {self.log}"
                )
            time.sleep(0.05)
        return False

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            end_group(process, signal.SIGTERM, STOP_SECONDS)


def _reserve(name: str) -> tuple[str, IO[str]]:
    """The first unused name of `<name>`, `<name>-2`, ..., and the open lock file that reserves it."""
    FOLDERS.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        candidate = name if number == 1 else f"{name}-{number}"
        lock = (FOLDERS / f"{candidate}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            number += 1
        else:
            return candidate, lock


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def _is_healthy(host: str, port: int) -> bool:
    try:
        _request(host, port, "GET", "/_ministack/health")
    except (OSError, HTTPException):
        return False
    return True


def _request(host: str, port: int, method: str, path: str, also: HTTPStatus = HTTPStatus.OK) -> None:
    """Send one plain HTTP request, without the user's proxy; `also` is another status to accept.

    Raises:
        OSError, HTTPException: no response.
        EmbeddedAwsError: another response.
    """
    connection = HTTPConnection(host, port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
    finally:
        connection.close()
    if answer.status not in {HTTPStatus.OK, also}:
        raise EmbeddedAwsError(f"{method} {path}: the AWS emulator returned {answer.status} {answer.reason}")


def relative(path: Path) -> Path:
    """A path relative to the project's folder."""
    return path.relative_to(BUILD.parent) if path.is_relative_to(BUILD.parent) else path
