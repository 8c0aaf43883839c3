"""Files of the lake, in a folder or a bucket."""

from deltalake.fs import DeltaStorageHandler
from pyarrow import fs

from lake.tables import Lake, TableSpec


def filesystem(lake: Lake, spec: TableSpec | None = None) -> fs.FileSystem:
    """The files below a table, or below the whole lake.

    Raises:
        OSError: the place cannot be reached.
    """
    url = lake.settings.url.rstrip("/") if spec is None else lake.url(spec)
    if lake.settings.is_bucket:
        return fs.PyFileSystem(DeltaStorageHandler(url, lake.storage_options))
    # That of delta-rs does not show the halves of files that a killed process has left.
    return fs.SubTreeFileSystem(url, fs.LocalFileSystem())


def all_files(files: fs.FileSystem) -> list[fs.FileInfo]:
    """Every file below a place."""
    found = files.get_file_info(fs.FileSelector("", recursive=True, allow_not_found=True))
    return [each for each in found if each.type == fs.FileType.File]
