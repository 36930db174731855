"""Asks the SDK at hand what it knows, before a newer operation or parameter is used.

The SDK comes with the Lambda runtime, and AWS alone moves its version. It checks parameters before it calls
AWS, and fails for one that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping

from botocore.client import BaseClient

from flowwarden.errors import CallRefused


def require(client: BaseClient, operation: str, parameters: Mapping[str, str]) -> None:
    """Refuse what the SDK at hand does not know; nothing is asked of it if there are no parameters.

    Args:
        client: of the operation's service.
        operation: as the service's API reference names it.
        parameters: each with when the SDK got it, in words.

    Raises:
        CallRefused: "not available in this runtime", with what is missing.
    """
    if not parameters:
        return
    model = client.meta.service_model
    if operation not in model.operation_names:
        raise CallRefused(
            f"{operation}: not available in this runtime, whose SDK is older than the operation"
        )
    shape = model.operation_model(operation).input_shape
    for name, since in parameters.items():
        if shape is None or name not in shape.members:
            raise CallRefused(
                f"{operation}: {name}: not available in this runtime, whose SDK is older than {since}; until "
                f"AWS updates the runtime, take the setting out of the policy"
            )
