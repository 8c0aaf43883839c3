"""Whatever the broker does, no sink ends, and every event becomes one document; on a broker of these tests' own."""

from collections.abc import Iterator

import pytest

from local import ports, servers
from local.supervisor import supervisor
from tests.support.consumer_process import Start
from tests.support.embedded_server import Server
from tests.support.faulty_elasticsearch import FaultyElasticsearch
from tests.support.query_event import event
from tests.support.trail import Trail
from tests.support.waiting import eventually


@pytest.fixture(name="own_servers", scope="module")
def fixture_own_servers(tmp_path_factory: pytest.TempPathFactory) -> servers.Servers:
    """A Kafka for these tests alone; the Elasticsearch beside it is not started."""
    free = ports.free(4)
    return servers.prepare(tmp_path_factory.mktemp("own"), (free[0], free[1]), (free[2], free[3]))


@pytest.fixture(name="kafka_bootstrap", scope="module")
def fixture_kafka_bootstrap(own_servers: servers.Servers) -> str:
    """The own broker's address, in place of the shared one's."""
    return own_servers.kafka.bootstrap_servers


@pytest.fixture(name="broker", scope="module", autouse=True)
def fixture_broker(own_servers: servers.Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The own broker, to do harm to; it runs before each test."""
    [program] = [each for each in own_servers.programs() if each.name == "kafka"]
    with supervisor(tmp_path_factory.mktemp("own-broker"), [program], {}) as running:
        broker = Server(running, program)
        broker.start()
        yield broker


@pytest.mark.parametrize("is_killed", [False, True], ids=["restarted", "killed"])
def test_a_broker_that_restarts_under_load_ends_no_sink(
    trail: Trail, start: Start, broker: Server, is_killed: bool
) -> None:
    sink = start(AUDIT_SINK_BATCH_SIZE="50").wait_until_ready()
    with trail.under_load():
        eventually(lambda: trail.all_indexed(100), "the first documents")
        if is_killed:
            broker.kill()
            broker.start()
        else:
            broker.restart()
        seen = len(trail.indexed())
        eventually(lambda: trail.all_indexed(seen + 300), "documents after the restart")

    eventually(trail.all_indexed, "every event as a document")
    eventually(lambda: trail.lag() == 0, "everything committed")
    assert sink.is_running
    trail.assert_account_closes()
    assert sink.stop() == 0


def test_an_end_that_hangs_is_cut_short_and_what_is_not_committed_is_read_again(
    trail: Trail, start: Start, broker: Server, proxy: FaultyElasticsearch
) -> None:
    events = [event(number) for number in range(200)]
    proxy.hold(events[0])
    trail.produce_documents(events, partition=0)
    sink = start(ELASTICSEARCH_URL=proxy.url, AUDIT_SINK_BATCH_SIZE="100")
    eventually(lambda: sink.metric("indexing_operations_done_total") == 100, "the second bulk")
    broker.freeze()
    try:
        exit_status = sink.stop()
    finally:
        broker.thaw()

    assert exit_status == 1
    assert sink.log().count("still not stopped after 9 s") == 1
    assert "Traceback" not in sink.log()
    start()
    eventually(trail.all_indexed, "every event as a document")
    eventually(lambda: trail.lag() == 0, "everything committed")
    trail.assert_account_closes()
