"""The chart for Kubernetes, rendered by helm; as a program it lints the chart, and writes what it makes to a folder."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import jsonschema_rs
import orjson
import pytest
import yaml
from hypothesis import strategies as st
from kubernetes_validate.utils import schema_contents

from tests.support.paths import ROOT

CHART = ROOT / "deploy" / "charts" / "sluice"
RENDERED = ROOT / "tests" / "data" / "chart"
EXAMPLES = ("least", "everything")
"""The values in the chart's folder ``ci``."""

OPERATORS = ("keda.sh/v1alpha1", "monitoring.coreos.com/v1")
"""The groups of KEDA and of the Prometheus operator."""

Object = dict[str, Any]


@cache
def helm() -> Path:
    """Where helm is, which Go builds where it is missing; without Go the test is skipped."""
    version = re.findall(r"^HELM := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[0]
    program = Path(ROOT, "build", "helm", version, "helm")
    if not program.exists():
        if shutil.which("go") is None:
            pytest.skip("Go is not installed, which builds helm")
        subprocess.run(["make", "--silent", f"build/helm/{version}/made.stamp"], cwd=ROOT, check=True)
    return program


def values(example: str) -> Path:
    """The file of an example's values."""
    return CHART / "ci" / f"{example}-values.yaml"


def run_helm(program: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run helm in the repository's folder."""
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def template(program: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Render the chart as the release ``sluice`` in the namespace ``sluice``."""
    return run_helm(program, "template", "sluice", CHART, "--namespace", "sluice", *arguments)


def template_of(value: Any) -> "subprocess.CompletedProcess[str]":
    """Render the chart with these values alone."""
    with NamedTemporaryFile(suffix=".json") as file:
        file.write(orjson.dumps(value))
        file.flush()
        return template(helm(), "--values", file.name)


class _Loader(yaml.CSafeLoader):
    """One that takes ``=`` for a text, as Helm and Kubernetes do; that of PyYAML fails at it."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda _loader, node: str(node.value))


def objects(text: str) -> list[Object]:
    """The objects of what was rendered."""
    return [each for each in yaml.load_all(text, _Loader) if each is not None]


@cache
def rendered(example: str) -> list[Object]:
    """The objects that an example's values make."""
    done = template(helm(), "--values", values(example))
    assert done.returncode == 0, done.stderr
    return objects(done.stdout)


@cache
def _validator(kind: str, api_version: str, version: str) -> Any:
    """Kubernetes' own schema of a kind, strict; compiled once, where kubernetes-validate reads it for each object."""
    folder = f"kubernetes-json-schema/v{version}-local-strict"
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    own = schema_contents(f"{folder}/{kind.lower()}-{group}.json", version)
    definitions = schema_contents(f"{folder}/_definitions.json", version)
    registry = jsonschema_rs.Registry([("file:///api/_definitions.json", definitions)])
    return jsonschema_rs.validator_for(own, registry=registry, base_uri="file:///api/own.json")


def faults(made: list[Object], version: str = "1.37.0") -> list[str]:
    """Faults that Kubernetes finds in objects of its own kinds, each with its place."""
    return [
        f"{each['kind']} {each['metadata']['name']}: {fault}"
        for each in made
        if each["apiVersion"] not in OPERATORS
        for fault in _validator(each["kind"], each["apiVersion"], version).iter_errors(each)
    ]


def pods(made: list[Object]) -> Iterator[tuple[str, Object]]:
    """The pods' specifications, by the names of what makes them."""
    for each in made:
        spec = each.get("spec", {})
        for way in (("template",), ("jobTemplate", "spec", "template")):
            found = spec
            for step in way:
                found = found.get(step, {})
            if found:
                yield each["metadata"]["name"], found["spec"]


def golden(made: list[Object]) -> str:
    """Text that is compared with a file of ``tests/data/chart``: all but the copies of nginx.conf and alerts.yml."""
    shown = orjson.loads(orjson.dumps(made))
    for each in shown:
        each.get("data", {}).pop("nginx.conf", None)
        if each["kind"] == "PrometheusRule":
            del each["spec"]
        found = each.get("spec", {}).get("template", {}).get("metadata", {}).get("annotations", {})
        for name in list(found):
            if name.startswith("checksum/"):
                found[name] = "…"
    shown.sort(key=lambda each: (each["kind"], each["metadata"]["name"]))
    return yaml.safe_dump_all(shown, sort_keys=False, width=120, allow_unicode=True)


def of_schema(  # pylint: disable=too-many-return-statements  # one for each kind of schema
    schema: Object, root: Object
) -> st.SearchStrategy[Any]:
    """Values of a JSON schema that has no more in it than the chart's; of `if` it knows nothing."""
    if "$ref" in schema:
        return of_schema(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([of_schema(each, root) for each in schema["anyOf"]])
    match schema["type"]:
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema["minimum"], schema["maximum"])
        case "number":
            return st.floats(schema["minimum"], schema["maximum"], allow_nan=False)
        case "string" if "pattern" in schema:
            return st.from_regex(re.compile(schema["pattern"], re.ASCII), fullmatch=True)
        case "string":
            return st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)
        case "array":
            size = {"min_size": schema.get("minItems", 0), "max_size": min(2, schema["maxItems"])}
            return st.lists(of_schema(schema["items"], root), **size, unique_by=orjson.dumps)
    if "propertyNames" in schema:
        names = st.from_regex(re.compile(schema["propertyNames"]["pattern"], re.ASCII), fullmatch=True)
        return st.dictionaries(names, of_schema(schema["additionalProperties"], root), max_size=2)
    members = {name: of_schema(each, root) for name, each in schema.get("properties", {}).items()}
    required = schema.get("required", ())
    optional = {name: each for name, each in members.items() if name not in required}
    made = st.fixed_dictionaries({name: members[name] for name in required}, optional=optional)
    return made.filter(lambda value: len(value) >= schema.get("minProperties", 0))


def main(program: Path) -> int:
    """Lint the chart with each example's values, and write what it makes of them."""
    for example in EXAMPLES:
        for done in (
            run_helm(program, "lint", "--strict", "--quiet", CHART, "--values", values(example)),
            template(program, "--values", values(example)),
        ):
            if done.returncode:
                print(done.stdout + done.stderr, file=sys.stderr)
                return 1
        (RENDERED / f"{example}.yaml").write_text(golden(objects(done.stdout)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
