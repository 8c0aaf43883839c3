# The name of the command.
# ruff: noqa: N999
# pylint: disable=invalid-name
"""``python -m gateway import TYPE FILE``: an import from the terminal, over HTTP like anybody's."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.cli.arguments import add_caller, text
from gateway.cli.remote import FAILED, authorization, explained, send_lines
from gateway.cli.settings import CallerSettings
from gateway.search.csv_stream import MEDIA_TYPE as CSV
from gateway.search.streams import MEDIA_TYPE as NDJSON
from kit.terminal import printable

_PART_BYTES = 64 * 1024
_MAX_SHOWN = 20
"""Failed lines that are printed."""


class Command(BaseCommand):
    """Sends a file to a running gateway, shows how far it is, and prints the account and the lines that failed."""

    help = "Import the documents of FILE into TYPE through a running gateway: NDJSON, or CSV if its name ends so."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the type and the file."""
        parser.add_argument("type", metavar="TYPE", type=text)
        parser.add_argument("file", metavar="FILE", type=Path)
        add_caller(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Import; exit status 1 for lines that failed or a gateway that is not there, 2 for an import that is refused.

        Raises:
            CommandError: the file cannot be read.
        """
        path, url = options["file"], options["url"]
        try:
            with explained(self.stderr), path.open("rb") as file:
                authorized = authorization(url, options["user"], CallerSettings.load())
                failed = self._send(f"{url}/inventory/{quote(options['type'], safe='')}/import", file, path, authorized)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from None
        if failed:
            sys.exit(FAILED)

    def _send(self, url: str, file: IO[bytes], path: Path, authorized: str) -> bool:
        """Whether a line failed, or the import ended early."""
        media_type = CSV if path.suffix.lower() == ".csv" else NDJSON
        shown = 0
        for answer in send_lines(url, _read(file, path.stat().st_size), media_type, authorized):
            if "summary" in answer:
                self.stdout.write(", ".join(f"{name} {count:,}" for name, count in answer["summary"].items()))
                return bool(answer["summary"]["failed"])
            if "line" not in answer:
                self.stderr.write(f"the import ended early: {printable(answer['problem']['detail'])}")
                return True
            if "problem" in answer:
                shown += 1
                if shown <= _MAX_SHOWN:
                    self.stderr.write(f"line {answer['line']}: {printable(answer['problem']['detail'])}")
                elif shown == _MAX_SHOWN + 1:
                    self.stderr.write("…")
        self.stderr.write("the answer ended early; the same import can be sent again")
        return True


def _read(file: IO[bytes], length: int) -> Iterator[bytes]:
    """The parts of a file, with a progress bar on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("importing", total=length)
        while part := file.read(_PART_BYTES):
            yield part
            progress.advance(task, len(part))
