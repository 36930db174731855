"""Checks that the installed SDK supports a newer operation or parameter before it is used.

The SDK comes with the Lambda runtime, so AWS controls its version. It validates parameters before it calls
AWS, and fails for one that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping

from botocore.client import BaseClient

from flowwarden.errors import CallRefused


def require(client: BaseClient, operation: str, parameters: Mapping[str, str]) -> None:
    """Check that the SDK knows an operation and its parameters; without parameters, check nothing.

    Args:
        client: the client of the operation's service.
        operation: the name in the service's API reference.
        parameters: each parameter with the version or time since which the SDK has it, in words.

    Raises:
        CallRefused: the SDK lacks one; the message says "not available in this runtime" and names it.
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
                f"AWS updates the runtime, remove the setting from the policy"
            )
