"""Programs are started, watched and stopped together, and nothing of them is left behind."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from local.errors import StackError
from local.supervisor import Program, supervisor
from tests.support.process import running
from tests.support.waiting import eventually

_SLEEPER = "import time; print('here', flush=True); time.sleep(300)"
# A leader that starts a worker in its own group, as an application server does.
_LEADER = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {_SLEEPER!r}]).wait()"


def _program(name: str, code: str, ready: bool = True) -> Program:
    return Program(name, [sys.executable, "-c", code], lambda: ready)


def _wait_until_gone(pids: list[int]) -> None:
    gone, alive = psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=30)
    assert not alive, f"left behind: {alive}, gone: {gone}"


def test_leaving_stops_every_program(tmp_path: Path) -> None:
    programs = [_program("one", _SLEEPER), _program("two", _LEADER)]
    with supervisor(tmp_path, programs, {}) as stack:
        stack.start(*programs)
        stack.check()
        pids = [stack.pid(program.name) for program in programs]
        assert all(psutil.pid_exists(pid) for pid in pids)
    _wait_until_gone(pids)


def test_the_output_of_a_program_is_in_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs/speaker.log"
    program = Program(
        "speaker", [sys.executable, "-c", _SLEEPER], lambda: log.exists() and "here" in log.read_text("utf-8")
    )
    with supervisor(tmp_path, [program], {}) as stack:
        stack.start(program)


def test_a_program_gets_its_variables_and_not_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", "the user's own")
    code = "import os; print(os.environ.get('KAFKA_SASL_PASSWORD'), os.environ['GREETING'], flush=True); " + _SLEEPER
    log = tmp_path / "logs/speaker.log"
    program = Program(
        "speaker",
        [sys.executable, "-c", code],
        lambda: log.exists() and "here" in log.read_text("utf-8"),
    )
    with supervisor(tmp_path, [program], {"GREETING": '100% "good" day'}) as stack:
        stack.start(program)
    assert log.read_text("utf-8").splitlines()[0] == 'None 100% "good" day'


def test_a_program_that_ends_at_once_is_named_with_its_last_words(tmp_path: Path) -> None:
    program = _program("broken", "raise SystemExit('out of cheese')", ready=False)
    with (
        supervisor(tmp_path, [program], {}) as stack,
        pytest.raises(StackError, match=r"broken ended with status 1; .*broken\.log and ends with: out of cheese"),
    ):
        stack.start(program)


def test_a_program_may_be_stopped_and_started_again_by_its_user(tmp_path: Path) -> None:
    program = _program("one", _SLEEPER)

    def control(action: str) -> str:
        program = str(Path(sys.executable).parent / "supervisorctl")
        command = [program, "-c", str(tmp_path / "supervisord.conf"), action, "one"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return str(done.stdout)

    with supervisor(tmp_path, [program], {}) as stack:
        stack.start(program)
        first = stack.pid("one")
        assert control("stop") == "one: stopped\n"
        assert not psutil.pid_exists(first)
        stack.check()
        assert control("start") == "one: started\n"
        stack.check()


def test_a_killed_program_is_named_and_its_workers_go_with_it(tmp_path: Path) -> None:
    program = _program("leader", _LEADER)
    with supervisor(tmp_path, [program], {}) as stack:
        stack.start(program)
        leader = psutil.Process(stack.pid("leader"))
        workers = _children(leader)
        leader.kill()
        assert "leader was killed" in str(_error_in_time(stack.check))
    _wait_until_gone([worker.pid for worker in workers])


def test_a_killed_manager_takes_everything_with_it(tmp_path: Path) -> None:
    programs = [_program("one", _SLEEPER), _program("two", _SLEEPER)]
    with supervisor(tmp_path, programs, {}) as stack:
        stack.start(*programs)
        pids = [stack.pid(program.name) for program in programs]
        manager = psutil.Process(pids[0]).parent()
        assert manager is not None
        manager.kill()
        assert re.search("process manager (was killed|does not answer)", str(_error_in_time(stack.check)))
    _wait_until_gone(pids)


def test_a_killed_runner_takes_everything_with_it(tmp_path: Path) -> None:
    runner = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from local.supervisor import Program, supervisor\n"
        f"program = Program('sleeper', [sys.executable, '-c', {_SLEEPER!r}], lambda: True)\n"
        f"with supervisor(Path({str(tmp_path)!r}), [program], {{}}) as stack:\n"
        "    stack.start(program)\n"
        "    print(stack.pid('sleeper'), flush=True)\n"
        "    time.sleep(300)\n"
    )
    with running(sys.executable, "-c", runner, stdout=subprocess.PIPE, text=True) as process:
        sleeper = psutil.Process(int(process.stdout.readline()))
        manager = sleeper.parent()
        assert manager is not None
        process.kill()
    _wait_until_gone([sleeper.pid, manager.pid])


def _children(leader: psutil.Process) -> list[psutil.Process]:
    return eventually(lambda: leader.children(recursive=True), "it has children")


def _error_in_time(check: Callable[[], None]) -> StackError:
    def error() -> StackError | None:
        try:
            check()
        except StackError as found:
            return found
        return None

    return eventually(error, "the check fails")
