"""The gateway as a process: started, talked to over HTTP and from the terminal, stopped and killed."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import urllib3

from tests.support.gateway import AUTHORIZATION, PATIENCE_SECONDS, Backing, Gateway, configured_gateway
from tests.support.process import python, running
from tests.support.sigterm import assert_sigterm_ends_a_start
from tests.support.waiting import eventually, wait_until_up

MEBIBYTE = 1024 * 1024


@pytest.fixture
def gateway(tmp_path: Path, backing: Backing) -> Gateway:
    """A gateway that is ready to be started."""
    return configured_gateway(tmp_path, backing)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, backing: Backing) -> Iterator[Gateway]:
    """A gateway that serves, for tests that leave it as it is."""
    gateway = configured_gateway(tmp_path_factory.mktemp("serving"), backing)
    with gateway.started():
        yield gateway


def test_a_body_is_read_whether_its_length_is_announced_or_not(serving: Gateway) -> None:
    whole = serving.post(b'{"query": "Hostname = octoxlabs01"}')
    chunked = serving.post(iter([b'{"query": "Hostname', b' = octoxlabs01"}']))
    assert (whole.status, chunked.status) == (200, 200)
    assert whole.json()["results"] == chunked.json()["results"] != []


def test_a_body_of_ten_megabytes_is_refused_whether_its_length_is_announced_or_not(serving: Gateway) -> None:
    assert serving.post(b" " * 10 * MEBIBYTE).json()["code"] == "too_large"
    chunks = (b" " * MEBIBYTE for _ in range(10))
    assert serving.post(chunks).json()["code"] == "too_large"
    assert serving.post(b'{"query": ""}').status == 200


def test_two_authorization_headers_are_refused(serving: Gateway) -> None:
    headers = urllib3.HTTPHeaderDict(AUTHORIZATION)
    headers.add("Authorization", AUTHORIZATION["Authorization"])
    response = urllib3.request("POST", f"{serving.url}/search", body=b'{"query": ""}', headers=headers, retries=False)
    assert (response.status, response.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("path", ["/%ff%fe", "/search%00", "/..%2f..%2fetc/passwd", "/static/%2e%2e/settings.py"])
def test_a_path_that_is_no_path_is_not_found(path: str, serving: Gateway) -> None:
    response = urllib3.request("GET", serving.url + path, retries=False)
    assert (response.status, response.json()["code"]) == (404, "not_found")


def test_the_documentation_needs_nothing_from_elsewhere(serving: Gateway) -> None:
    page = urllib3.request("GET", f"{serving.url}/docs/", retries=False)
    assert page.status == 200
    assert b"https://" not in page.data
    script = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
    assert script.encode() in page.data
    assert urllib3.request("GET", serving.url + script, retries=False).status == 200


def test_the_search_command_prints_a_table(serving: Gateway) -> None:
    result = serving.search("Hostname = octoxlabs*", "--fields", "Hostname,Ip", "--sort=-Hostname", "--size", "2")
    assert (result.returncode, result.stderr) == (0, "")
    heading, first, second, summary = result.stdout.splitlines()
    assert heading.split() == ["Hostname", "Ip"]
    assert (first.split()[0], second.split()[0]) == ("octoxlabs12", "octoxlabs11")
    assert summary.startswith("2 of 12 documents")


def test_the_search_command_prints_the_answer_as_json(serving: Gateway) -> None:
    result = serving.search("Hostname = octoxlabs01", "--json")
    assert '"count": 1,' in result.stdout
    assert result.returncode == 0


def test_the_search_command_shows_where_a_query_is_wrong_and_exits_2(serving: Gateway) -> None:
    result = serving.search("Site = ankara AND Hostnme = octoxlabs*")
    assert (result.returncode, result.stdout) == (2, "")
    picture = ["Site = ankara AND Hostnme = octoxlabs*", " " * 18 + "^" * 7]
    assert result.stderr.splitlines()[:2] == picture
    assert "Hostname" in result.stderr.splitlines()[2]


def test_the_search_command_exits_2_for_a_user_who_is_not_known(serving: Gateway) -> None:
    result = serving.search("", user="nobody")
    assert (result.returncode, result.stdout) == (2, "")
    assert "known, active user" in result.stderr


def test_the_search_command_exits_1_where_there_is_no_gateway(gateway: Gateway) -> None:
    result = gateway.search("")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"no answer from {gateway.url}/search")


def test_a_port_in_use_is_one_line_and_exit_status_2(serving: Gateway) -> None:
    result = serving.run()
    assert result.returncode == 2
    assert "Address already in use" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_a_missing_secret_key_is_one_line_and_exit_status_2(gateway: Gateway) -> None:
    result = gateway.run(GATEWAY_SECRET_KEY="")
    assert result.returncode == 2
    assert "GATEWAY_SECRET_KEY is not set" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "variable", ["GATEWAY_PORT", "GATEWAY_TRANSLATOR_URL", "ELASTICSEARCH_URL", "AUDIT_TOPIC", "GATEWAY_AUDIT_MODE"]
)
def test_a_bad_setting_is_one_line_that_names_it_and_exit_status_2(variable: str, gateway: Gateway) -> None:
    result = gateway.run(**{variable: "no good/value"})
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert variable in result.stderr


def test_a_spool_folder_that_cannot_be_written_is_one_line_and_exit_status_2(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = gateway.run(GATEWAY_SPOOL_DIR=str(tmp_path / "file" / "spool"))
    assert result.returncode == 2
    assert "GATEWAY_SPOOL_DIR" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_a_folder_for_temporary_files_without_room_is_one_line_and_exit_status_2(
    gateway: Gateway, tmp_path: Path
) -> None:
    small = "import resource as r, runpy; r.setrlimit(r.RLIMIT_FSIZE, (65536, 65536)); "
    command = [sys.executable, "-c", f"{small}runpy.run_module('gateway', None, '__main__')"]
    ended = subprocess.run(
        command, env=gateway.environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith(f"gateway: TMPDIR: no room for metrics in {tmp_path}: ")
    assert not list(tmp_path.glob("gateway-metrics-*"))


def test_start_up_warns_of_unsigned_tokens(gateway: Gateway) -> None:
    result = gateway.run(GATEWAY_SECRET_KEY="")
    assert "gateway.W001" in result.stderr


def test_a_database_that_is_not_there_is_one_line_without_its_password(gateway: Gateway, closed_port: int) -> None:
    url = f"postgres://sluice:hush@127.0.0.1:{closed_port}/sluice"
    # It warns of unsigned tokens besides.
    result = gateway.run("migrate", GATEWAY_DATABASE_URL=url, GATEWAY_UNSIGNED_TOKENS="false")
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert result.stderr.startswith("gateway: GATEWAY_DATABASE_URL: ")
    assert "hush" not in result.stderr


def test_a_database_without_its_tables_is_unready_and_no_fault(gateway: Gateway, tmp_path: Path) -> None:
    with gateway.started(GATEWAY_DATABASE_URL=f"sqlite:///{tmp_path / 'empty.db'}"):
        ready = urllib3.request("GET", f"{gateway.url}/readyz", retries=False, timeout=10.0)
        assert ready.json()["dependencies"]["database"] == "down"
        response = gateway.post(b'{"query": ""}')
        assert (response.status, response.json()["code"]) == (503, "overloaded")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(stop: signal.Signals, gateway: Gateway) -> None:
    with gateway.started() as process:
        assert gateway.post(b'{"query": ""}').status == 200
        process.send_signal(stop)
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.fixture(scope="module")
def startable(tmp_path_factory: pytest.TempPathFactory, backing: Backing) -> Gateway:
    """A gateway that is ready to be started often."""
    return configured_gateway(tmp_path_factory.mktemp("startable"), backing)


@pytest.mark.parametrize("tenths", range(0, 24, 4))
def test_sigterm_ends_a_start_cleanly_whenever_it_comes(tenths: int, startable: Gateway, tmp_path: Path) -> None:
    seconds = tenths / 10 + random.uniform(0, 0.4)
    environment = startable.environment | {"TMPDIR": str(tmp_path)}
    with running(*python("gateway"), environment=environment, stderr=subprocess.PIPE) as process:
        assert_sigterm_ends_a_start(process, seconds)
    assert not list(tmp_path.glob("gateway-metrics-*"))


def test_sigterm_again_and_again_does_not_hurry_it(gateway: Gateway) -> None:
    with gateway.started() as process:
        assert gateway.post(b'{"query": ""}').status == 200
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
            time.sleep(0.01)
        assert process.returncode == 0


def test_killing_it_leaves_no_process_behind(gateway: Gateway) -> None:
    with gateway.started() as process:
        children = process.children(recursive=True)
        assert children
        process.kill()
        process.wait(PATIENCE_SECONDS)
        _, alive = psutil.wait_procs(children, PATIENCE_SECONDS)
        assert not alive


def _workers(process: psutil.Popen) -> set[psutil.Process]:
    return set(process.children())


def test_a_worker_that_is_killed_is_replaced(gateway: Gateway) -> None:
    with gateway.started(GATEWAY_WORKERS="2") as process:
        eventually(lambda: len(_workers(process)) == 2, "two workers")
        killed = _workers(process).pop()
        (kept,) = _workers(process) - {killed}
        killed.kill()
        eventually(lambda: len(_workers(process) - {killed}) == 2, "another worker")
        assert kept in _workers(process)
        wait_until_up(f"{gateway.url}/healthz")
        assert gateway.post(b'{"query": ""}').status == 200
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0


def test_workers_that_do_not_live_end_it_with_a_failure(gateway: Gateway) -> None:
    with gateway.started() as process:

        def ends() -> bool:
            with suppress(psutil.NoSuchProcess):
                for worker in _workers(process):
                    worker.kill()
            return process.poll() is not None

        eventually(ends, "its end")
        assert process.returncode != 0


def test_sigterm_to_all_its_processes_is_a_clean_stop_and_no_loss_of_a_worker(
    gateway: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    with gateway.started(GATEWAY_WORKERS="2") as process:
        for worker in _workers(process):
            worker.terminate()
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert "Unexpected exit" not in capfd.readouterr().err


def test_temporary_files_of_a_killed_gateway_go_with_the_next_start(gateway: Gateway, tmp_path: Path) -> None:
    with gateway.started() as process:
        (left,) = tmp_path.glob("gateway-metrics-*")
        workers = _workers(process)
        process.kill()
        process.wait(PATIENCE_SECONDS)
        psutil.wait_procs(workers, PATIENCE_SECONDS)
    with gateway.started() as process:
        (used,) = tmp_path.glob("gateway-metrics-*")
        assert used != left
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert not list(tmp_path.glob("gateway-metrics-*"))
