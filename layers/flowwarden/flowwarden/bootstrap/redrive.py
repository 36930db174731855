"""The failure queues and functions of a deployed stack, for `flowwarden redrive`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from flowwarden.aws.clients import make_client
from flowwarden.aws.cloudformation import StackOutputs, check_outputs, stack_outputs
from flowwarden.aws.lambda_function import BOTOCORE_ATTEMPTS, LambdaFunction
from flowwarden.aws.sqs import SqsQueue
from flowwarden.redrive.failure import Failure, of_event_bridge, of_lambda
from flowwarden.redrive.ports import ANSWER_SECONDS, QueuedMessage
from flowwarden.redrive.redrive import Source

MONITOR: Final = "MonitorFunctionName"
ENFORCER: Final = "EnforcerFunctionName"


class _Row(Struct, frozen=True):
    """A failure queue: outputs of the stack with its URL and its function, and how a message is read."""

    queue: str
    function: str
    read: Callable[[QueuedMessage], Failure]


QUEUES: Final[Mapping[str, _Row]] = {
    "monitor": _Row("MonitorFailureQueueUrl", MONITOR, of_lambda),
    "enforcer": _Row("EnforcerFailureQueueUrl", ENFORCER, of_lambda),
    "events": _Row("EnforcerEventQueueUrl", ENFORCER, of_event_bridge),
}
"""The failure queues by the name that the command uses, in the order in which it processes them."""


class RedrivePorts(Struct, frozen=True, kw_only=True):
    """The failure queues with their functions, and the Region of the stack."""

    region: str
    sources: tuple[Source, ...]


def on_aws(
    stack: str,
    region: str | None,
    wait: Callable[[float], None],
    look_up: Callable[[str, str | None], StackOutputs] = stack_outputs,
) -> RedrivePorts:
    """The ports on AWS.

    Args:
        stack: the stack's name.
        region: its Region; None for that of the environment or the profile.
        wait: sleeps for some seconds.
        look_up: reads the stack's outputs.

    Raises:
        SettingsError: the stack cannot be read, or it lacks an output.
    """
    found = look_up(stack, region)
    check_outputs(stack, found, [name for each in QUEUES.values() for name in (each.queue, each.function)])
    queues = make_client("sqs", found.region)
    functions = make_client("lambda", found.region, attempts=BOTOCORE_ATTEMPTS, read_timeout=ANSWER_SECONDS)
    sources = tuple(
        Source(
            name=name,
            queue=SqsQueue(queues, found.values[row.queue]),
            function=LambdaFunction(functions, found.values[row.function], wait),
            read=row.read,
        )
        for name, row in QUEUES.items()
    )
    return RedrivePorts(region=found.region, sources=sources)
