"""Figures of a benchmark, in a file for programs."""

from pathlib import Path
from typing import Any

import orjson


def write(path: Path, figures: Any) -> None:
    """Write figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")
