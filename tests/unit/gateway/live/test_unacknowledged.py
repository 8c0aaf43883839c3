"""Notifications under way to a socket."""

from gateway.live.unacknowledged import MAX_BYTES, Unacknowledged


def test_nothing_is_sent_before_the_client_says_where_it_stands() -> None:
    state = Unacknowledged()
    assert state.position is None
    state.begin(7)
    assert state.position == 7


def test_there_is_room_for_a_bound_of_bytes_until_they_are_acknowledged() -> None:
    state = Unacknowledged()
    state.begin(0)
    for number in (1, 2):
        assert state.has_room(MAX_BYTES // 2)
        state.sent(number, MAX_BYTES // 2)
    assert state.position == 2
    assert not state.has_room(1)
    state.acknowledge(1)
    assert state.has_room(MAX_BYTES // 2)
    assert not state.has_room(MAX_BYTES // 2 + 1)
    state.acknowledge(9)
    assert state.has_room(MAX_BYTES)


def test_after_a_resync_the_client_says_again_where_it_stands_with_all_the_room() -> None:
    state = Unacknowledged()
    state.begin(0)
    state.sent(1, MAX_BYTES)
    state.give_up()
    assert state.position is None
    state.begin(5)
    assert state.has_room(MAX_BYTES)
