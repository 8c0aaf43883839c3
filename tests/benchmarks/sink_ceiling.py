"""The most that Elasticsearch takes: ready-made bulk bodies over keep-alive connections, no Kafka.

``python -m tests.benchmarks.sink_ceiling CONNECTIONS PORT INDEX FILE`` sends the bodies in the file, each after a line
with its length in bytes.
"""

import http.client
import queue
import sys
import threading

_PATH = "/{}/_bulk?filter_path=errors,took,items.*.status,items.*.error"


def main(connections: int, port: int, index: str, file: str) -> None:
    """Send every body once."""
    bodies: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    with open(file, "rb") as stored:
        while length := stored.readline():
            bodies.put(stored.read(int(length)))

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while not bodies.empty():
            try:
                body = bodies.get_nowait()
            except queue.Empty:
                return
            connection.request("POST", _PATH.format(index), body, {"Content-Type": "application/x-ndjson"})
            answer = connection.getresponse().read()
            assert b'"errors":false' in answer[:200], answer[:1000]

    threads = [threading.Thread(target=send) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
