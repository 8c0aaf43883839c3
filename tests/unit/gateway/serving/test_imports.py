"""A gateway that serves loads no client that it never asks: its start and its memory are every worker's."""

import subprocess
import sys

_SERVING = """
import sys
import django
django.setup()
import gateway.serving.application, gateway.urls
loaded = {"elasticsearch", "pyarrow", "duckdb", "deltalake"} & set(sys.modules)
assert not loaded, loaded
"""


def test_a_gateway_that_serves_loads_neither_the_elasticsearch_client_nor_the_lakes_libraries() -> None:
    done = subprocess.run([sys.executable, "-c", _SERVING], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
