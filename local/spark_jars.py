"""The Java archives that Spark lacks: Delta's and Kafka's, pinned in ``spark_jars.toml``, put where Spark looks.

``python -m local.spark_jars`` resolves them anew and rewrites the lock; with a folder, Spark's virtual environment, it
fetches what is pinned and links it there. Nothing is fetched when Spark starts.
"""

import sys
from pathlib import Path

from local import jars
from local.errors import StackError

_LOCK = Path(__file__).with_name("spark_jars.toml")
_SPARK = {"delta": "io.delta:delta-spark_4.2_2.13:4.4.0+org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0"}


def link(venv: Path) -> None:
    """Link the archives into PySpark's own; what Spark brings in another version stays out.

    Args:
        venv: Spark's virtual environment.

    Raises:
        StackError: there is no PySpark, or an archive cannot be had.
    """
    folder = next(venv.glob("lib/python*/site-packages/pyspark/jars"), None)
    if folder is None:
        raise StackError(f"{venv} has no PySpark: run make spark")
    present = {_name(path) for path in folder.iterdir()}
    for archive in jars.fetch(_LOCK, "Delta and Kafka for Spark")["delta"]:
        if _name(archive) not in present:
            (folder / archive.name).symlink_to(archive)


def _name(archive: Path) -> str:
    """Name of an archive without its version."""
    return archive.name.rpartition("-")[0]


if __name__ == "__main__":
    if sys.argv[1:]:
        try:
            link(Path(sys.argv[1]))
        except StackError as error:
            sys.exit(str(error))
    else:
        jars.lock(_LOCK, _SPARK)
