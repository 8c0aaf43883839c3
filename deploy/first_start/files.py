"""Secrets as files: written whole or not at all, for one owner, and left alone where they are as they should be."""

import os
import stat
from pathlib import Path

_OWNER_READS = 0o400
_OWNER_ENTERS = 0o700


def write(path: Path, content: str, owner: int) -> bool:
    """Make a file that its owner alone can read hold the content.

    Args:
        path: the file; its folder is made, and is its owner's alone too.
        content: what it holds.
        owner: the number of the user, and of the group.

    Returns:
        whether anything had to change.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    changed = _give(path.parent, owner, _OWNER_ENTERS)
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return _give(path, owner, _OWNER_READS) or changed
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _give(fresh, owner, _OWNER_READS)
    fresh.replace(path)
    return True


def _give(path: Path, owner: int, mode: int) -> bool:
    found = path.stat()
    if (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (owner, owner, mode):
        return False
    # The mode first: afterwards only a user with more than ownership could.
    path.chmod(mode)
    os.chown(path, owner, owner)
    return True
