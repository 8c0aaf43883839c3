"""A limit of memory for processes of a test's own, as a container has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

CONTROL_GROUPS = Path("/sys/fs/cgroup")


@contextmanager
def limited(size: int) -> Iterator[list[str]]:
    """A control group with a limit.

    https://docs.kernel.org/admin-guide/cgroup-v1/memory.html, https://docs.kernel.org/admin-guide/cgroup-v2.html

    Args:
        size: in bytes.

    Yields:
        what to put before a command, so that it runs in there; nothing where this machine lets no group be made.
    """
    group = _group(size)
    if group is None:
        yield []
        return
    try:
        yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
    finally:
        group.rmdir()


def _group(size: int) -> Path | None:
    for parent, limits in (
        (CONTROL_GROUPS / "memory", {"memory.limit_in_bytes": size}),
        (CONTROL_GROUPS, {"memory.max": size, "memory.swap.max": 0}),
    ):
        try:
            group = Path(mkdtemp(prefix="sluice-test-", dir=parent))
        except OSError:
            continue
        try:
            for name, limit in limits.items():
                (group / name).write_text(str(limit), encoding="ascii")
        except OSError:
            group.rmdir()
            continue
        return group
    return None
