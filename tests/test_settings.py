"""Settings from the environment."""

import pytest

from flowwarden.errors import SettingsError
from flowwarden.settings import DispatcherSettings, EnforcerSettings, MonitorSettings

MONITOR = {
    "AWS_REGION": "eu-west-1",
    "LOG_FORMAT": "${srcaddr} ${dstaddr}",
    "OPERATIONS_TOPIC_ARN": "arn:operations",
    "PAGES_TOPIC_ARN": "arn:pages",
    "STATE_TABLE": "state",
}


def test_a_setting_that_is_not_set_has_its_default() -> None:
    """An empty variable counts as not set, because a template can only set it to empty."""
    settings = MonitorSettings.from_mapping({**MONITOR, "SUPPRESSION_MINUTES": "", "PATH": "/bin"})
    assert (settings.suppression_minutes, settings.max_inflated_mib, settings.policy) == (240, 64, "{}")


def test_numbers_are_read_from_text() -> None:
    """Environment variables are text."""
    assert MonitorSettings.from_mapping({**MONITOR, "SUPPRESSION_MINUTES": "15"}).suppression_minutes == 15


@pytest.mark.parametrize("value", ["0", "-5", "soon", "1.5"])
def test_a_wrong_value_is_named(value: str) -> None:
    """The message contains the variable and its value."""
    with pytest.raises(SettingsError, match=f"SUPPRESSION_MINUTES='{value}': Expected `int`"):
        MonitorSettings.from_mapping({**MONITOR, "SUPPRESSION_MINUTES": value})


@pytest.mark.parametrize("name", ["PAGES_PER_HOUR", "PAGES_PER_DAY", "CRITICAL_PAGES_PER_HOUR"])
def test_limits_of_pages_can_be_zero_but_not_negative(name: str) -> None:
    """0 is no limit."""
    assert getattr(MonitorSettings.from_mapping({**MONITOR, name: "0"}), name.lower()) == 0
    for value in ("-1", "501", "many"):
        with pytest.raises(SettingsError, match=f"{name}='{value}'"):
            MonitorSettings.from_mapping({**MONITOR, name: value})


@pytest.mark.parametrize("name", sorted(MONITOR))
def test_a_missing_variable_is_named(name: str) -> None:
    """An empty variable counts as missing."""
    others = {key: value for key, value in MONITOR.items() if key != name}
    for environment in (others, {**others, name: ""}):
        with pytest.raises(SettingsError, match=f"{name} is not set"):
            MonitorSettings.from_mapping(environment)


def test_the_enforcer_requires_other_variables_than_the_monitor() -> None:
    """The monitor's environment lacks the account."""
    with pytest.raises(SettingsError, match="ACCOUNT_ID is not set"):
        EnforcerSettings.from_mapping(MONITOR)


def test_the_dispatcher_requires_no_log_format() -> None:
    """It reads no flow logs; the rest of the monitor's environment is required."""
    others = {name: value for name, value in MONITOR.items() if name != "LOG_FORMAT"}
    assert DispatcherSettings.from_mapping(others).suppression_minutes == 240
    for missing in others:
        with pytest.raises(SettingsError, match=f"{missing} is not set"):
            DispatcherSettings.from_mapping({**others, missing: ""})
