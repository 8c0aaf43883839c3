"""The Postman collection, run by newman against the whole system."""

import subprocess
from pathlib import Path

import orjson
import pytest
import urllib3

from local.services import Services
from tests.support.postman import COLLECTION, ENVIRONMENT, requests, tools


@pytest.mark.node
def test_every_request_of_the_collection_is_answered_without_a_fault(
    services: Services, api_key: str, tmp_path: Path
) -> None:
    newman = tools() / "node_modules" / ".bin" / "newman"
    answer = urllib3.request("POST", f"{services.gateway_url}/auth/token", json={"api_key": api_key})
    report = tmp_path / "report.json"
    variables = {"baseUrl": services.gateway_url, "accessToken": answer.json()["access_token"]}
    given = [part for name, value in variables.items() for part in ("--env-var", f"{name}={value}")]
    options = ["--reporters", "json", "--reporter-json-export", str(report), "--timeout-request", "30000"]
    done = subprocess.run(
        [str(newman), "run", str(COLLECTION), "--environment", str(ENVIRONMENT), *given, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    run = orjson.loads(report.read_bytes())["run"]
    failures = [(each["source"]["name"], each["error"]["message"]) for each in run["failures"]]
    assert (done.returncode, failures) == (0, []), done.stderr
    assert run["stats"]["requests"]["total"] == len(requests())
    codes = {each["item"]["name"]: each["response"]["code"] for each in run["executions"]}
    assert codes["Search an index"] == 200
    assert codes["Translate a query"] == 200
