"""A plan of the inventory for one test."""

from collections.abc import Iterator
from contextlib import contextmanager

from local.services import OPERATOR, Services
from tests.support.visit import ask

PLAN = "console-plan"
SERVICE = "console-service"


@contextmanager
def plan_of(services: Services) -> Iterator[str]:
    """Make a plan, and a service that documents below it can name; nothing of them is left afterwards."""
    ask(services, "PUT", f"/inventory/service/{SERVICE}", OPERATOR, name="Console")
    ask(services, "PUT", f"/inventory/plan/{PLAN}", OPERATOR, name="Gold", planType="PPO")
    try:
        yield PLAN
    finally:
        _clear(services)


def _clear(services: Services) -> None:
    for child in ask(services, "GET", f"/inventory/plan/{PLAN}/plan-service", OPERATOR)["results"]:
        ask(services, "DELETE", f"/inventory/plan-service/{child['id']}", OPERATOR, if_match="*")
    ask(services, "DELETE", f"/inventory/plan/{PLAN}", OPERATOR, if_match="*")
    ask(services, "DELETE", f"/inventory/service/{SERVICE}", OPERATOR, if_match="*")
