"""The route of events: each of its states, and what leads from one to another."""

from gateway.audit.route import Route, State


def _state(route: Route) -> State:
    return route.state


def test_kafka_s_answer_lets_the_sender_go_on_and_its_failure_stops_it() -> None:
    route = Route(State.SPOOLING)
    route.kafka_answers()
    assert _state(route) is State.SENDING
    route.kafka_fails()
    assert _state(route) is State.SPOOLING


def test_neither_changes_anything_while_events_go_directly() -> None:
    route = Route(State.DIRECT)
    route.kafka_answers()
    route.kafka_fails()
    assert _state(route) is State.DIRECT


def test_the_first_event_that_is_appended_says_that_it_was_the_first() -> None:
    route = Route(State.DIRECT)
    assert [route.begin_append(), route.begin_append()] == [True, False]
    assert _state(route) is State.SPOOLING


def test_an_event_that_is_appended_while_the_spool_is_sent_stops_the_hand_over() -> None:
    route = Route(State.SENDING)
    assert not route.begin_append()
    assert _state(route) is State.SPOOLING


def test_a_hand_over_ends_directly_where_all_has_arrived_and_in_the_spool_elsewhere() -> None:
    route = Route(State.SENDING)
    with route.handing_over():
        assert _state(route) is State.HANDING_OVER
    assert _state(route) is State.SPOOLING
    with route.handing_over() as handover:
        handover.has_arrived = True
    assert _state(route) is State.DIRECT
