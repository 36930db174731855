"""The incidents, mutes and topics of a deployed stack, for the commands about incidents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct, field

from flowwarden.aws.caller import reason
from flowwarden.aws.clients import make_client
from flowwarden.aws.cloudformation import StackOutputs, check_outputs, stack_outputs
from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.desk import LEASE_SECONDS, DynamoDbDesk
from flowwarden.aws.dynamodb.mute_editing import DynamoDbMuteEditor
from flowwarden.aws.sns import BOTOCORE_ATTEMPTS, Topic, is_refused
from flowwarden.bootstrap.sinks import on_aws as sinks_on_aws
from flowwarden.dispatcher.desk import IncidentDesk
from flowwarden.errors import PublishFailed
from flowwarden.https.webhook import Clock
from flowwarden.notify.claims import ClaimTerms
from flowwarden.notify.notification import Notification
from flowwarden.notify.ports import Claims, Sink
from flowwarden.policy.made_mutes import MuteEditor
from flowwarden.sinks.sns import SnsSink
from flowwarden.state.sets import DAY
from flowwarden.unreadable import Unreadable

TABLE: Final = "StateTableName"
SINKS: Final = "Sinks"
"""The output with the configured sinks besides the topics; a stack without any lacks it."""
LOG_GROUP: Final = "FlowLogGroupName"
TOPICS: Final[Mapping[str, str]] = {"pages": "PagesTopicArn", "operations": "OperationsTopicArn"}
"""The outputs of the stack with its topics, by the name of the sink that commands use."""
PERMISSIONS: Final = (
    "your credentials need sns:Publish on the topic, and kms:GenerateDataKey and kms:Decrypt on its key"
)


class IncidentPorts(Struct, frozen=True, kw_only=True):
    """The stored incidents and mutes, and what is known of the stack."""

    region: str
    account: str
    log_group: str
    """Of the flow logs."""
    sinks: Mapping[str, Sink]
    """By the names of `TOPICS` and of `sinks.table`."""
    desk: IncidentDesk
    mutes: MuteEditor
    claims: Claims
    unreadable: Unreadable = field(default_factory=Unreadable)
    """Where the stored incidents and mutes note what they cannot read."""


def on_aws(
    stack: str,
    region: str | None,
    wait: Callable[[float], None],
    look_up: Callable[[str, str | None], StackOutputs] = stack_outputs,
    clock: Clock | None = None,
) -> IncidentPorts:
    """The ports on AWS, with the caller's credentials. Args and errors are those of `redrive.on_aws`.

    With a clock, the sinks besides the topics are among them, by their names.
    """
    found = look_up(stack, region)
    check_outputs(stack, found, (TABLE, LOG_GROUP, *TOPICS.values()))
    state, table = make_client("dynamodb", found.region), found.values[TABLE]
    unreadable = Unreadable()
    topics = make_client("sns", found.region, attempts=BOTOCORE_ATTEMPTS)
    return IncidentPorts(
        region=found.region,
        log_group=found.values[LOG_GROUP],
        account=_account_of(found.values[TOPICS["pages"]]),
        sinks={
            name: HintingSink(SnsSink(Topic(topics, found.values[output], wait)))
            for name, output in TOPICS.items()
        }
        | dict(sinks_on_aws(found.values.get(SINKS, ""), found.region, clock).by_name if clock else {}),
        desk=DynamoDbDesk(state, table, unreadable),
        mutes=DynamoDbMuteEditor(state, table, unreadable),
        unreadable=unreadable,
        claims=DynamoDbClaims(state, table, ClaimTerms(suppression=DAY, lease=LEASE_SECONDS)),
    )


class HintingSink:
    """A sink whose errors say which permissions the caller lacks."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.name = sink.name

    def send(self, notification: Notification) -> None:
        """Send the notification. Raises PublishFailed."""
        try:
            self._sink.send(notification)
        except PublishFailed as error:
            cause = error.__cause__
            if not isinstance(cause, Exception) or not is_refused(cause):
                raise
            raise PublishFailed(f"{reason(cause)}; {PERMISSIONS}") from cause


def _account_of(arn: str) -> str:
    """The account in an ARN; '' if it has none."""
    return next(iter(arn.split(":")[4:5]), "")
