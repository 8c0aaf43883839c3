"""Parameters of the report of reads."""

from datetime import date
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from gateway.http.fields import checked
from gateway.inventory.serializers import ReadsParameters
from tests.unit.gateway.inventory.conftest import Ask


def test_a_report_is_of_the_last_days_by_day_unless_it_is_asked_otherwise() -> None:
    asked = checked(ReadsParameters, {"type": "product", "to": "2026-03-02"})
    assert (asked["from"], asked["to"], asked["group"], asked["size"]) == (
        date(2026, 1, 31),
        date(2026, 3, 2),
        "day",
        100,
    )


@pytest.mark.parametrize(
    ("parameters", "member"),
    [
        ({}, "type"),
        ({"type": "No Type"}, "type"),
        ({"type": "product", "from": "2026-02-30"}, "from"),
        ({"type": "product", "from": "2026-02-03", "to": "2026-02-02"}, "from"),
        ({"type": "product", "from": "2020-01-01", "to": "2026-01-01"}, "from"),
        ({"type": "product", "to": "9999-12-31"}, "to"),
        ({"type": "product", "to": "0001-01-01"}, "to"),
        ({"type": "product", "group": "month"}, "group"),
        ({"type": "product", "size": "1001"}, "size"),
        ({"type": "product", "since": "2026-01-01"}, "since"),
    ],
)
def test_a_report_that_cannot_be_is_refused_with_the_parameter(parameters: dict[str, Any], member: str) -> None:
    with pytest.raises(ValidationError) as caught:
        checked(ReadsParameters, parameters)
    assert list(caught.value.detail) == [member]


def test_a_report_of_a_type_that_does_not_exist_is_a_404(ask: Ask) -> None:
    assert ask("GET", "/inventory-reports/reads?type=nothing").status_code == 404


def test_a_report_has_each_of_its_days_before_the_first_event_too(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.inventory.reports.perform", lambda *_: {})
    report = ask("GET", "/inventory-reports/reads?type=product&from=2020-02-28&to=2020-03-01").json()
    days = [{"day": day, "reads": 0} for day in ("2020-02-28", "2020-02-29", "2020-03-01")]
    assert (report["total"], report["days"]) == (0, days)
