"""The environment variables of the project's tools, without the user's AWS settings.

The user's environment may contain real credentials, a profile or a default region. None of these may reach a
tool that deploys something.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BUILD = PROJECT / "build"
"""Output of the tasks: builds, logs, the AWS emulator's files. Never committed."""

REGION = "eu-west-1"
ACCOUNT_ID = "111122223333"
"""The region and account of the AWS emulator; the account is the same as in `events/`."""

_KEPT = frozenset(
    {"PATH", "HOME", "USER", "LANG", "LC_ALL", "TERM", "TMPDIR", "XDG_CACHE_HOME"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
    | {"DOCKER_HOST", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_CONFIG"}
)
_KEPT_PREFIXES = ("PIP_",)
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy"})

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def environment(endpoint: str | None = None, caller: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for a tool: the necessary variables of the caller, and test credentials.

    Args:
        endpoint: the endpoint URL for AWS calls; without it, every call fails.
        caller: the caller's environment; its `AWS_*` variables are ignored.
    """
    kept = {name: value for name, value in caller.items() if _is_kept(name)}
    # The tools must not use a proxy for an AWS emulator on this machine.
    direct = ",".join(filter(None, (caller.get("NO_PROXY") or caller.get("no_proxy"), _host(endpoint))))
    return (
        kept
        | CREDENTIALS
        | {
            "NO_PROXY": direct,
            "no_proxy": direct,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": endpoint or NOWHERE,
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "0.2",  # the emulator answers at once; the default is 5 s
        }
    )


NOWHERE = "http://127.0.0.1:9"
"""The discard port: an AWS call of a tool without an endpoint is refused."""


def _is_kept(name: str) -> bool:
    return name in _KEPT or name.startswith(_KEPT_PREFIXES) or name.lower() in _PROXIES


def _host(endpoint: str | None) -> str:
    hosts = {"127.0.0.1", "localhost"}
    if endpoint:
        hosts.add(endpoint.removeprefix("http://").rpartition(":")[0])
    return ",".join(sorted(hosts))


def tool(environment_name: str, program: str) -> Path:
    """The path of a program in one of the project's environments (created by `make setup`)."""
    return PROJECT / ".venvs" / environment_name / "bin" / program
