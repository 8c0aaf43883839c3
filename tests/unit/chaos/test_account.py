"""The account of `make chaos` sees every way in which it may not close."""

from uuid import UUID

from tests.chaos.account import Account, event_id


def _account(events: int) -> Account:
    account = Account()
    for _ in range(events):
        account.acknowledge(account.open())
    return account


def test_an_id_is_a_uuid_of_version_7() -> None:
    assert UUID(event_id(0)).version == UUID(event_id(10**9)).version == 7
    assert event_id(0) != event_id(1)


def test_documents_and_dead_letters_of_all_events_close_it() -> None:
    account = _account(3)
    account.found_document(event_id(0))
    account.found_document(event_id(1))
    account.found_letter(event_id(2))
    account.found_letter(event_id(2))
    assert not account.complaints()
    assert account.figures() == {
        "produced (acknowledged)": 3,
        "acknowledgement unknown": 0,
        "of which found": 0,
        "documents": 2,
        "dead letters": 1,
        "dead letters sent again": 1,
        "doubles": 0,
    }


def test_an_acknowledged_event_that_is_nowhere_is_told() -> None:
    account = _account(2)
    account.found_document(event_id(0))
    assert account.complaints() == [f"1 acknowledged events are nowhere, the first {event_id(1)}"]


def test_an_event_without_an_acknowledgement_may_be_there_or_not() -> None:
    account = _account(1)
    account.found_document(event_id(0))
    account.open()
    account.found_document(event_id(account.open()))
    assert not account.complaints()
    figures = account.figures()
    assert (figures["acknowledgement unknown"], figures["of which found"]) == (2, 1)


def test_a_document_in_two_indices_is_told() -> None:
    account = _account(1)
    account.found_document(event_id(0))
    account.found_document(event_id(0))
    assert account.complaints() == ["1 documents are there twice"]


def test_an_event_that_is_a_document_and_a_dead_letter_is_told() -> None:
    account = _account(1)
    account.found_document(event_id(0))
    account.found_letter(event_id(0))
    assert account.complaints() == [f"1 events are documents and dead letters, the first {event_id(0)}"]


def test_a_document_of_no_event_is_told() -> None:
    account = _account(1)
    account.found_document(event_id(0))
    account.found_document(event_id(1))
    assert account.complaints() == ["1 documents or dead letters are of no event that was produced"]


def test_an_account_of_nothing_does_not_close() -> None:
    assert Account().complaints() == ["nothing was produced"]
