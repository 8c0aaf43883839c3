"""The sink's settings: bounded, and a bad one names its variable."""

import pytest

from audit_sink.settings import SinkSettings
from kit.settings import ConfigurationError


def test_the_defaults_are_the_contracts() -> None:
    settings = SinkSettings.load()

    assert (settings.group_id, settings.index_prefix, settings.metrics_port) == ("audit-sink", "query-logs-", 9108)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AUDIT_SINK_BATCH_SIZE", "0"),
        ("AUDIT_SINK_BATCH_BYTES", "1000000000"),
        ("AUDIT_SINK_LINGER_MS", "soon"),
        ("AUDIT_SINK_IN_FLIGHT", "100"),
        ("AUDIT_SINK_INDEX_PREFIX", "Query Logs"),
        ("AUDIT_SINK_METRICS_PORT", "65536"),
    ],
)
def test_a_value_out_of_its_bounds_names_its_variable(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigurationError, match=variable):
        SinkSettings.load()
