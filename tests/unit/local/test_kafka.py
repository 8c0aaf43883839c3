"""Kafka's configuration says what is meant, whatever the folder is called."""

from pathlib import Path

from local.kafka import Kafka


def test_a_folder_with_letters_beyond_ascii_is_escaped_as_java_reads_it(tmp_path: Path) -> None:
    home = tmp_path / "Yiğit 😀"
    node = Kafka(home, [], 1, 2)
    (home / "data").mkdir(parents=True)
    (home / "data" / "meta.properties").touch()
    node.prepare()
    properties = (home / "server.properties").read_bytes()
    assert rb"log.dirs=" in properties
    assert rb"/Yi\u011fit \ud83d\ude00/data" in properties
