"""The compose file as data, with its variables at their defaults."""

import re
from functools import cache
from typing import Any

import yaml

from tests.support.paths import ROOT

FILE = ROOT / "docker-compose.yml"

VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}")
"""``${NAME}`` or ``${NAME:-default}``; two dollars are one that the shell sees."""


@cache
def compose() -> dict[str, Any]:
    """The file's content, variables replaced and anchors resolved."""
    text = VARIABLE.sub(lambda found: found["default"] or "", FILE.read_text(encoding="utf-8"))
    content: dict[str, Any] = yaml.safe_load(text.replace("$$", "$"))
    return content


def environment(service: str) -> dict[str, str]:
    """The environment of a service."""
    given = compose()["services"][service]["environment"]
    return {name: str(value) for name, value in given.items()}


def kafka_properties() -> dict[str, str]:
    """The broker's properties as the official image makes them of its variables.

    An underscore is a full stop, two are an underscore, three are a hyphen: kafka.docker.KafkaDockerWrapper.
    """
    foreign = {"KAFKA_OPTS", "KAFKA_HEAP_OPTS", "KAFKA_GC_LOG_OPTS"}
    return {
        name.removeprefix("KAFKA_").lower().replace("_", ".").replace("...", "-").replace("..", "_"): value
        for name, value in environment("kafka").items()
        if name.startswith("KAFKA_") and name not in foreign
    }
