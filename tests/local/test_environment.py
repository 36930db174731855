"""The user's AWS settings do not reach the tools."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from local.environment import NOWHERE, environment

USER = {
    "PATH": "/usr/bin",
    "HOME": "/home/alex",
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL_SNS": "https://sns.example.com",
    "AWS_CONFIG_FILE": "/home/alex/.aws/config",
    "SAM_CLI_TELEMETRY": "1",
    "PYTHONPATH": "/home/alex/lib",
    "HTTPS_PROXY": "http://proxy:3128",
    "NO_PROXY": "intranet",
}


def test_the_users_credentials_are_removed() -> None:
    """Test credentials, no configuration files, no profile, no session."""
    made = environment("http://127.0.0.1:4566", USER)
    assert "AKIAREAL" not in made.values()
    assert "real" not in made.values()
    assert made["AWS_ACCESS_KEY_ID"] == made["AWS_SECRET_ACCESS_KEY"] == "test"
    assert made["AWS_CONFIG_FILE"] == made["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert made["AWS_EC2_METADATA_DISABLED"] == "true"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SNS", "PYTHONPATH"} & made.keys()


def test_variables_that_tools_need_are_kept() -> None:
    """The path, the home folder with its caches, and the proxy for downloads."""
    made = environment("http://127.0.0.1:4566", USER)
    assert {name: made[name] for name in ("PATH", "HOME", "HTTPS_PROXY")} == {
        name: USER[name] for name in ("PATH", "HOME", "HTTPS_PROXY")
    }
    assert made["SAM_CLI_TELEMETRY"] == "0"


def test_no_proxy_is_used_for_the_emulator() -> None:
    """The user's own exclusions are kept."""
    made = environment("http://172.17.0.1:4566", USER)
    assert made["NO_PROXY"] == made["no_proxy"] == "intranet,127.0.0.1,172.17.0.1,localhost"


def test_without_an_endpoint_calls_fail() -> None:
    """A build needs no AWS; a call would be refused and would not reach the user's account."""
    assert environment(None, USER)["AWS_ENDPOINT_URL"] == NOWHERE


@given(st.dictionaries(st.text(min_size=1).map("AWS_".__add__), st.just("the user's")))
def test_no_aws_variable_is_kept(foreign: dict[str, str]) -> None:
    """Regardless of its name."""
    assert "the user's" not in environment("http://127.0.0.1:1", foreign).values()
