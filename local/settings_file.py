"""The file of settings that ``make run`` gives to the services beside its own: ``NAME=value`` lines."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import parse_stream

from kit.settings import ConfigurationError
from local.supervisor import clean_environment

_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """The settings of a file, and the line of each.

    Attributes:
        path: the file.
        values: the settings.
        lines: the line that each stands in, from 1.
    """

    path: Path
    values: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "SettingsFile":
        """Read a file; one that does not exist has no settings.

        Raises:
            ConfigurationError: it cannot be read, a line is no setting, or one is set twice; names file and line.
        """
        try:
            if not path.exists():
                return cls(path)
            if path.stat().st_size > _MAX_BYTES:
                raise ConfigurationError(f"{path}: larger than {_MAX_BYTES} bytes")
            values: dict[str, str] = {}
            lines: dict[str, int] = {}
            with path.open(encoding="utf-8") as stream:
                for binding in parse_stream(stream):
                    # Lines before a setting, such as an empty one, count to it.
                    text = binding.original.string
                    line = binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
                    if binding.error or (binding.key is not None and binding.value is None):
                        raise ConfigurationError(f"{path}, line {line}: must be NAME=value, or a comment after #")
                    if binding.key is None or binding.value is None:
                        continue
                    if binding.key in lines:
                        raise ConfigurationError(
                            f"{path}, line {line}: {binding.key} is set in line {lines[binding.key]} already"
                        )
                    values[binding.key], lines[binding.key] = binding.value, line
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}: cannot be read ({error.__class__.__name__})") from error
        return cls(path, values, lines)

    def check(self, fixed: Mapping[str, str]) -> None:
        """Look whether the services could start with these settings.

        Args:
            fixed: what the stack sets itself, and nobody else.

        Raises:
            ConfigurationError: a name is unknown or fixed, or a value invalid; names file and line, not the value.
        """
        for name in self.values:
            if name.startswith("LOCAL_"):
                self._refuse(name, "is taken from the environment of make alone")
            if name in fixed or f"{name}_FILE" in fixed or name.removesuffix("_FILE") in fixed:
                self._refuse(name, "is set by the stack itself; folder and ports are LOCAL_HOME and LOCAL_…_PORT")
        if not self.values:
            return
        # The stack's own files of keys are made later.
        settled = {name: value for name, value in fixed.items() if not name.endswith("_FILE")}
        checked = subprocess.run(
            [sys.executable, "-m", "local.check_settings", *self.values],
            env=clean_environment({**self.values, **settled}),
            capture_output=True,
            text=True,
            check=False,
        )
        if checked.returncode != 0:
            first = (checked.stderr.strip().splitlines() or ["the settings cannot be checked"])[-1]
            name, _, complaint = first.partition(": ")
            self._refuse(name, complaint)

    def _refuse(self, name: str, complaint: str) -> None:
        line = self.lines.get(name, self.lines.get(f"{name}_FILE"))
        place = f"{self.path}, line {line}" if line else f"{self.path}"
        raise ConfigurationError(f"{place}: {name}: {complaint}" if complaint else f"{place}: {name}")
