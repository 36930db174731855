"""What a secret contains: a key or an address alone, or a JSON object with members. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from flowwarden.errors import PublishRefused


def member(secret: str, name: str, default: str | None = None, *, alone: bool = False) -> str:
    """A member of a secret.

    Args:
        secret: the secret.
        name: the name of the member.
        default: its value if the secret has none; None if it must have one.
        alone: whether a secret that is not a JSON object is this member.

    Raises:
        PublishRefused: the secret has no such member. The message does not contain the secret.
    """
    try:
        members = msgspec.json.decode(secret, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        members = {name: secret.strip()} if alone and not secret.lstrip().startswith("{") else {}
    value = members.get(name)
    found = (value.strip() if isinstance(value, str) else "") or default
    if found is None:
        raise PublishRefused(f"the secret has no member {name!r}, and is not that value alone")
    return found
