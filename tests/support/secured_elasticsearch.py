"""Elasticsearch with its own security on: its users and what they may do are files.

Of the full distribution's modules those that check passwords and privileges are on Maven Central; the one that their
index of users needs is not, so the users are in files, as an operator may have them too:
https://www.elastic.co/docs/deploy-manage/users-roles/cluster-or-deployment-auth/file-based

Why: a table of actions and privileges would test our reading of the manual, and the tests run without containers.
"""

import base64
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local import elasticsearch_node, jars
from local.elasticsearch import Elasticsearch
from local.ports import answers
from local.supervisor import Program

_LOCK = Path(__file__).with_name("secured_elasticsearch.toml")
_MODULES = {
    "x-pack-core": ("org.elasticsearch.xpack.core.XPackPlugin", ""),
    "x-pack-security": ("org.elasticsearch.xpack.security.Security", "x-pack-core"),
}
_DESCRIPTOR = """\
description=of the full distribution
version={version}
name={name}
classname={classname}
java.version=21
elasticsearch.version={version}
extended.plugins={extends}
"""
_ITERATIONS = 1000


@dataclass(frozen=True, slots=True)
class SecuredElasticsearch:
    """One node, as a home folder and a program."""

    home: Path
    ports: tuple[int, int]

    def prepare(self, roles: Mapping[str, Mapping[str, Any]], passwords: Mapping[str, str]) -> None:
        """Lay out the home folder.

        Args:
            roles: for each user the one role that they have.
            passwords: theirs.
        """
        Elasticsearch(self.home, jars.fetch()["elasticsearch"], *self.ports).prepare()
        self._add_modules()
        config = self.home / "config"
        known = {
            user: {name: part for name, part in role.items() if name != "description"} for user, role in roles.items()
        }
        (config / "roles.yml").write_text(yaml.safe_dump(known), encoding="utf-8")
        (config / "users").write_text(
            "".join(f"{user}:{_hashed(passwords[user])}\n" for user in roles), encoding="utf-8"
        )
        (config / "users_roles").write_text("".join(f"{user}:{user}\n" for user in roles), encoding="utf-8")

    def program(self, settings: Mapping[str, str], password: str) -> Program:
        """The program that runs the node.

        Args:
            settings: beside those of every embedded node.
            password: that of the user ``elastic``.
        """
        given = json.dumps([str(self.home), *self.ports, dict(settings), password])
        (self.home / "arguments.json").write_text(given, encoding="utf-8")
        command = [sys.executable, "-m", "tests.support.secured_elasticsearch", str(self.home / "arguments.json")]
        return Program("elasticsearch", command, lambda: answers(self.ports[0]))

    def _add_modules(self) -> None:
        archives = jars.fetch(_LOCK)
        version = next(jar.parent.name for jar in archives["x-pack-core"] if jar.name.startswith("x-pack-core"))
        for name, (classname, extends) in _MODULES.items():
            module = self.home / "modules" / name
            module.mkdir()
            for jar in archives[name]:
                (module / jar.name).symlink_to(jar)
            descriptor = _DESCRIPTOR.format(name=name, classname=classname, version=version, extends=extends)
            (module / "plugin-descriptor.properties").write_text(descriptor, encoding="utf-8")


def _hashed(password: str) -> str:
    salt = os.urandom(32)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS, 32)
    return f"{{PBKDF2}}{_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


if __name__ == "__main__":
    _home, *_rest = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    elasticsearch_node.run(Path(_home), *_rest)
    os._exit(0)
