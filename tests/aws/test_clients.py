"""Retries and timeouts of every client."""

from __future__ import annotations

import pytest

from flowwarden.aws.clients import ATTEMPTS, CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS, make_client
from flowwarden.errors import SettingsError
from tests.aws.clients import session


@pytest.mark.parametrize("service", ["ec2", "dynamodb", "sns"])
def test_a_client_retries_with_backoff_and_never_waits_long(service: str) -> None:
    """Botocore's defaults wait for a minute and retry in the legacy mode."""
    made = make_client(service, "eu-west-1", session=session())  # type: ignore[call-overload]  # names from a table
    config = made.meta.config
    assert made.meta.region_name == "eu-west-1"
    assert config.retries == {"mode": "standard", "total_max_attempts": ATTEMPTS}
    assert config.connect_timeout == CONNECT_TIMEOUT_SECONDS
    assert config.read_timeout == READ_TIMEOUT_SECONDS


def test_a_caller_may_set_more_attempts() -> None:
    """A late sweep is better than an incomplete one."""
    made = make_client("ec2", "eu-west-1", attempts=8, session=session())
    assert made.meta.config.retries["total_max_attempts"] == 8  # type: ignore[attr-defined]  # missing in the stubs


@pytest.mark.parametrize("region", ["bad region!", "eu_west_1", "-", "x" * 100])
def test_a_region_that_cannot_exist_is_a_wrong_setting(region: str) -> None:
    """The message names the variable and its value."""
    with pytest.raises(SettingsError, match="AWS_REGION="):
        make_client("sns", region)
