"""Every error that Flow Warden raises on purpose.

FlowWardenError
├── ConfigurationError        somebody has to change a setting; a retry will not help
│   ├── SettingsError         an environment variable of a function
│   ├── PolicyError           the user's policy
│   └── LogFormatError           a log format that cannot be read
├── PayloadError              an event that is not what it says it is
│   ├── NotASubscriptionEvent no `awslogs.data` in it
│   ├── CorruptPayload        base64, compression or JSON is broken
│   └── PayloadTooLarge       inflates beyond the cap: a decompression bomb, or a cap that is too low
├── SourceError               a file or stream cannot be read, or not to its end
│   ├── SourceNotOpened       it is not there, or may not be read
│   ├── NotFlowLogs           its content is of no kind that can be read
│   ├── DamagedSource         it is truncated or corrupt; what stands before the damage was read
│   └── ParquetNotInstalled   it is Parquet, and the optional package for that is missing
├── StateUnavailable          the state table did not answer
├── LogFormatsUnavailable        EC2 did not tell the log formats of a log group's flow logs
├── InterfacesUnavailable     EC2 did not describe network interfaces
├── PublishFailed             a notification could not be handed over; the batch must be retried
└── EnforcementError          a VPC could not be given its flow log
    ├── FlowLogExists         EC2 says the flow log exists already: look again
    ├── VpcGone               the VPC was deleted meanwhile
    ├── NotThere              what was asked for does not exist (any more): a flow log, a role
    ├── AlreadyThere          another run made it meanwhile: a log group
    ├── CallRefused           EC2 refused, and will refuse again until somebody acts
    ├── CallFailed            unavailable: the same call may succeed later
    │   └── CallThrottled     too many calls: it succeeds after a while
    └── EnforcementIncomplete at least one VPC is left uncovered by a failure that a retry may mend
"""


class FlowWardenError(Exception):
    """Root of the tree: catches everything that Flow Warden raises on purpose."""


class ConfigurationError(FlowWardenError):
    """A setting is wrong; the message says which, its value, and what is allowed."""


class SettingsError(ConfigurationError):
    """An environment variable is missing or has a value that is not allowed."""


class PolicyError(ConfigurationError):
    """The policy is not valid; the message names path, value and what is allowed."""


class LogFormatError(ConfigurationError):
    """A log format cannot be read."""


class PayloadError(FlowWardenError):
    """The event given to the monitor cannot be decoded; the whole batch goes to the failure queue."""


class NotASubscriptionEvent(PayloadError):
    """The event has no `awslogs.data`, so it did not come from a subscription filter."""


class CorruptPayload(PayloadError):
    """The payload's base64, compression or JSON is broken."""


class PayloadTooLarge(PayloadError):
    """The payload inflates to more than the cap."""


class SourceError(FlowWardenError):
    """A file or stream cannot be read, or not to its end; the message begins with its name."""


class SourceNotOpened(SourceError):
    """The file is not there, or may not be read."""


class NotFlowLogs(SourceError):
    """The content is of no kind that can be read."""


class DamagedSource(SourceError):
    """The content is truncated or corrupt; what stands before the damage was read."""


class ParquetNotInstalled(SourceError):
    """The file is Parquet, and the optional package that reads it is not installed."""


class StateUnavailable(FlowWardenError):
    """The state table did not answer; memory across batches is lost for now."""


class LogFormatsUnavailable(FlowWardenError):
    """EC2 did not tell the log formats; lines are read by what was learned before, or by the fallback."""


class InterfacesUnavailable(FlowWardenError):
    """EC2 did not describe network interfaces; their roles are what was known before, or not known."""


class PublishFailed(FlowWardenError):
    """A notification could not be handed to its sink; raised so that the batch is retried."""


class EnforcementError(FlowWardenError):
    """A VPC could not be given its flow log."""


class FlowLogExists(EnforcementError):
    """EC2 answered that such a flow log exists: only looking again tells whether it is the wanted one."""


class VpcGone(EnforcementError):
    """The VPC does not exist any more (or not yet, just after its creation)."""


class NotThere(EnforcementError):
    """What was asked for does not exist (any more): a flow log, a role."""


class AlreadyThere(EnforcementError):
    """Another run made it meanwhile: a log group."""


class CallRefused(EnforcementError):
    """EC2 refused the call for a reason that stays until somebody acts (permission, quota, parameter)."""


class CallFailed(EnforcementError):
    """AWS could not answer (throttling, outage); the same call may succeed later."""


class CallThrottled(CallFailed):
    """There were too many calls; the same call succeeds after a while."""


class EnforcementIncomplete(EnforcementError):
    """At least one VPC was left uncovered, or not looked at, and a retry may mend that."""
