"""All errors that Flow Warden raises deliberately.

FlowWardenError
├── ConfigurationError        a setting is wrong; a retry does not help
│   ├── SettingsError         an environment variable of a function
│   │   ├── NotDeployed       the stack does not exist, or has no enforcer
│   │   └── StackDenied       the caller may not read the stack
│   ├── PolicyError           the user's policy
│   └── LogFormatError        a log format that cannot be parsed
├── PayloadError              an event that cannot be decoded
│   ├── NotASubscriptionEvent no `awslogs.data` in it
│   ├── CorruptPayload        base64, compression or JSON is corrupt
│   └── PayloadTooLarge       inflates beyond the limit: a decompression bomb, or a limit that is too low
├── SourceError               a file or stream cannot be read, or not to its end
│   ├── SourceNotOpened       it does not exist, or permission is denied
│   ├── NotFlowLogs           its content has no supported format
│   ├── DamagedSource         it is truncated or corrupt; the content before the damage was read
│   └── ParquetNotInstalled   it is Parquet, and the optional package for Parquet is missing
├── StateUnavailable          the state table did not answer
├── PolicyUnavailable         AppConfig did not return the policy
├── LogFormatsUnavailable     EC2 did not return the log formats of a log group's flow logs
├── InterfacesUnavailable     EC2 did not describe network interfaces
├── NamesUnavailable          AWS did not return names for a notification
├── RulesUnavailable          EC2 or the state table did not return rules, or changes of rules
├── PublishFailed             a notification could not be sent; the batch must be retried
│   ├── PublishUnanswered     it may have been sent: the service did not answer
│   └── PublishRefused        it would be refused again: it is not retried
└── EnforcementError          the flow log of a VPC could not be created or repaired
    ├── FlowLogExists         EC2 reports that the flow log already exists: describe it again
    ├── VpcGone               the VPC was deleted in the meantime
    ├── NotFound              the requested resource does not exist (any more): a flow log, a role
    ├── AlreadyExists         another run created it in the meantime: a log group
    ├── CallRefused           AWS refused the call, and will refuse it until the cause is fixed
    ├── NotAvailable          the SDK or the Region does not have the operation
    ├── CallFailed            AWS is unavailable: the same call may succeed later
    │   ├── CallThrottled     too many calls: the same call succeeds after a while
    │   └── OutOfTime         the call was not made: the run has no time left
    └── EnforcementIncomplete at least one VPC is left uncovered by a failure that a retry may fix
"""


class FlowWardenError(Exception):
    """Base class of all errors that Flow Warden raises deliberately."""


class ConfigurationError(FlowWardenError):
    """A setting is wrong; the message contains its name, its value and the allowed values."""


class SettingsError(ConfigurationError):
    """An environment variable is missing or has a value that is not allowed."""


class NotDeployed(SettingsError):
    """The stack does not exist in the Region, or its deployment did not create the enforcer."""


class StackDenied(SettingsError):
    """The caller may not read the stack."""


class PolicyError(ConfigurationError):
    """The policy is not valid; the message contains the path, the value and the allowed values."""


class LogFormatError(ConfigurationError):
    """A log format cannot be parsed."""


class PayloadError(FlowWardenError):
    """The monitor's event cannot be decoded; the whole batch goes to the failure queue."""


class NotASubscriptionEvent(PayloadError):
    """The event has no `awslogs.data`, so it did not come from a subscription filter."""


class CorruptPayload(PayloadError):
    """The payload's base64, compression or JSON is corrupt."""


class PayloadTooLarge(PayloadError):
    """The payload inflates beyond the limit."""


class SourceError(FlowWardenError):
    """A file or stream cannot be read, or not to its end; the message begins with its name."""


class SourceNotOpened(SourceError):
    """The file does not exist, or permission is denied."""


class NotFlowLogs(SourceError):
    """The content has no supported format."""


class DamagedSource(SourceError):
    """The content is truncated or corrupt; the content before the damage was read."""


class ParquetNotInstalled(SourceError):
    """The file is Parquet, and the optional package that reads it is not installed."""


class StateUnavailable(FlowWardenError):
    """The state table did not answer; no state from earlier batches is available."""


class PolicyUnavailable(FlowWardenError):
    """AppConfig did not return the policy; the last good one is used instead."""


class LogFormatsUnavailable(FlowWardenError):
    """EC2 did not return the log formats; formats learned before, or the fallback, are used instead."""


class InterfacesUnavailable(FlowWardenError):
    """EC2 did not describe network interfaces; their roles are those known before, or unknown."""

    def __init__(self, message: str, short: str = "") -> None:
        """Take the message for the log, and a short reason for a page: the call and the error's code."""
        super().__init__(message)
        self.short = short or message


class NamesUnavailable(FlowWardenError):
    """AWS did not return names. The message is short, because the page without them contains it."""


class RulesUnavailable(FlowWardenError):
    """EC2 did not return security groups or network ACLs, or the state table did not return their changes."""

    def __init__(self, reason: str, *, lasts: bool = True) -> None:
        """Take the reason.

        Args:
            reason: in words, for the page.
            lasts: whether further calls would fail, too, as after a timeout or a throttled call; false if
                only this call was refused.
        """
        super().__init__(reason)
        self.lasts = lasts


class PublishFailed(FlowWardenError):
    """A notification could not be sent to its sink; raised so that the batch is retried."""


class PublishUnanswered(PublishFailed):
    """The service did not answer: the notification may have been sent, and sending it again may repeat it."""


class PublishRefused(PublishFailed):
    """The service refused the notification, or a sink is configured wrongly: a retry would not help."""


class EnforcementError(FlowWardenError):
    """The flow log of a VPC could not be created or repaired."""


class FlowLogExists(EnforcementError):
    """EC2 reports that such a flow log exists; describe it again to see whether it is the desired one."""


class VpcGone(EnforcementError):
    """The VPC no longer exists (or is not visible yet, just after its creation)."""


class NotFound(EnforcementError):
    """The requested resource does not exist (any more): a flow log, a role."""


class AlreadyExists(EnforcementError):
    """Another run created it in the meantime: a log group."""


class CallRefused(EnforcementError):
    """AWS refused the call for a reason that needs manual action (permission, quota, parameter)."""


class NotAvailable(EnforcementError):
    """The runtime's SDK or this Region does not have an operation; nothing to repair."""


class CallFailed(EnforcementError):
    """AWS did not answer (throttling, outage); the same call may succeed later."""


class CallThrottled(CallFailed):
    """AWS throttled the call; the same call succeeds after a while."""


class OutOfTime(CallFailed):
    """The call was not made, because the run has no time left; a later run makes it."""


class EnforcementIncomplete(EnforcementError):
    """At least one VPC is left uncovered, or was not checked, and a retry may fix that."""
