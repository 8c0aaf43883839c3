"""Metrics of a worker are in its file a second later, and in its own answer at once."""

import os
import subprocess
import sys
from pathlib import Path

_COUNT = """
import os, threading, time
from gateway.http import metrics_values
metrics_values.install()
from gateway.http.metrics import REQUEST_SECONDS
from gateway.serving.metrics import REQUESTS_INSIDE, SHED
from gateway.http.request_metrics import exposition
SHED.inc(1000)
child = os.fork()
if not child:
    threads = [threading.Thread(target=lambda: [SHED.inc() for _ in range(10_000)]) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    REQUESTS_INSIDE.labels("requests").inc(3)
    REQUEST_SECONDS.labels("/search", 200).observe(0.2)
    metrics_values.keep_written()
    # The thread goes on until the main thread has ended, as that of a worker does.
    raise SystemExit(0)
assert os.waitpid(child, 0)[1] == 0
text = exposition().decode()
# The parent's own are there as well, and are not its child's.
assert "gateway_shed_total 41000.0" in text, text
assert 'gateway_requests_inside{bulkhead="requests"} 3.0' in text, text
assert 'gateway_request_seconds_count{route="/search",status="200"} 1.0' in text, text
"""


def test_nothing_that_a_forked_worker_counts_is_lost_or_doubled(tmp_path: Path) -> None:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", _COUNT], env=environment, check=True)
