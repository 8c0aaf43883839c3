"""Topic of the console events: its name, from ``CONSOLE_TOPIC``."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from kit.kafka import TOPIC_NAME
from kit.settings import Settings


class ConsoleTopicSettings(Settings):
    """The topic that wakes live sockets."""

    model_config = SettingsConfigDict(env_prefix="CONSOLE_")

    topic: str = Field(default="console-events", pattern=TOPIC_NAME)
