"""The source of the policy: the parameter, or an AppConfig profile."""

from __future__ import annotations

from functools import cache

from flowwarden.aws.appconfig import AppConfigPolicy
from flowwarden.aws.clients import QUICK_SECONDS, make_client
from flowwarden.policy.last_good import PolicyRecorder, PolicySource, PolicyStore

ATTEMPTS = 1
"""No retry: the last good policy is used instead, and the profile is read again later."""


@cache  # a new service of the same container goes on with what was read
def source_on_aws(profile: str, region: str) -> PolicySource | None:
    """The source of the policy; None if it is in the parameter.

    Args:
        profile: `APPLICATION/ENVIRONMENT/PROFILE`, ids of AppConfig; '' for none.
        region: the Region of the profile.
    """
    if not profile:
        return None
    return AppConfigPolicy(
        lambda: make_client("appconfigdata", region, attempts=ATTEMPTS, read_timeout=QUICK_SECONDS), profile
    )


def text_on_aws(profile: str, region: str) -> str:
    """The text of the policy in a profile, read with the caller's credentials. Raises PolicyUnavailable."""
    source = source_on_aws(profile, region)
    return source.text() if source else ""


def recorder_on_aws(text: str, profile: str, region: str, store: PolicyStore) -> PolicyRecorder:
    """The policy in use: the configured one, or the last good one from the state table."""
    return PolicyRecorder.choosing(text, store, source_on_aws(profile, region))
