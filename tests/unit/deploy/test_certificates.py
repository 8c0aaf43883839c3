"""The certificates that the services trust one another by."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.first_start import certificates

_NOW = datetime(2026, 11, 21, tzinfo=UTC)
_HOSTS = ["kafka", "localhost", "127.0.0.1"]


def _handshake(tmp_path: Path, key: str, certificate: str, trusted: str, name: str) -> None:
    """A TLS connection to a server of this certificate, by its name; raises where the client does not trust it."""
    (tmp_path / "server.pem").write_text(key + certificate, encoding="utf-8")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(tmp_path / "server.pem")
    # As strictly as OpenSSL can look at what stands in a certificate.
    trusting = ssl.create_default_context(cadata=trusted)
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    left, right = socket.socketpair()

    def serve() -> None:
        try:
            with serving.wrap_socket(right, server_side=True):
                pass
        except (ssl.SSLError, OSError):
            pass  # what the client thinks of it is what the test is about

    server = threading.Thread(target=serve)
    server.start()
    try:
        with left, trusting.wrap_socket(left, server_hostname=name):
            pass
    finally:
        left.close()
        server.join()


@pytest.mark.parametrize("name", _HOSTS)
def test_a_server_is_trusted_by_each_of_its_names(tmp_path: Path, name: str) -> None:
    authority_key, key = certificates.new_key(), certificates.new_key()
    authority = certificates.authority(authority_key, "authority", datetime.now(UTC))
    certificate = certificates.server(key, _HOSTS, (authority_key, authority), datetime.now(UTC))
    _handshake(tmp_path, key, certificate, authority, name)


def test_a_server_is_not_trusted_by_another_name(tmp_path: Path) -> None:
    authority_key, key = certificates.new_key(), certificates.new_key()
    authority = certificates.authority(authority_key, "authority", datetime.now(UTC))
    certificate = certificates.server(key, _HOSTS, (authority_key, authority), datetime.now(UTC))
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for 'elasticsearch'"):
        _handshake(tmp_path, key, certificate, authority, "elasticsearch")


def test_a_certificate_of_its_own_is_not_the_authoritys(tmp_path: Path) -> None:
    key = certificates.new_key()
    authority = certificates.authority(certificates.new_key(), "authority", datetime.now(UTC))
    certificate = certificates.server(key, _HOSTS, None, datetime.now(UTC))
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(tmp_path, key, certificate, authority, "kafka")


def test_a_certificate_is_renewed_a_month_before_its_end_and_for_other_hosts() -> None:
    key = certificates.new_key()
    certificate = certificates.server(key, _HOSTS, None, _NOW)
    last_day = _NOW + timedelta(certificates.SERVER_DAYS - certificates.RENEW_DAYS)
    assert certificates.is_good_server(certificate, key, _HOSTS, None, _NOW)
    assert certificates.is_good_server(certificate, key, _HOSTS, None, last_day - timedelta(seconds=1))
    assert not certificates.is_good_server(certificate, key, _HOSTS, None, last_day)
    assert not certificates.is_good_server(certificate, key, ["kafka"], None, _NOW)


def test_an_authority_is_renewed_before_a_certificate_of_its_could_outlive_it() -> None:
    key = certificates.new_key()
    authority = certificates.authority(key, "authority", _NOW)
    last_day = _NOW + timedelta(certificates.AUTHORITY_DAYS - certificates.SERVER_DAYS - certificates.RENEW_DAYS)
    assert certificates.is_good_authority(authority, key, last_day - timedelta(seconds=1))
    assert not certificates.is_good_authority(authority, key, last_day)


def test_certificates_are_trusted_by_clients_that_know_the_authoritys_renewed_one(tmp_path: Path) -> None:
    authority_key, key = certificates.new_key(), certificates.new_key()
    authority, renewed = (certificates.authority(authority_key, "authority", datetime.now(UTC)) for _ in range(2))
    certificate = certificates.server(key, _HOSTS, (authority_key, authority), datetime.now(UTC))
    assert certificates.is_good_server(certificate, key, _HOSTS, renewed, datetime.now(UTC))
    _handshake(tmp_path, key, certificate, renewed, "kafka")


def test_a_damaged_certificate_is_not_good() -> None:
    key = certificates.new_key()
    assert not certificates.is_good_authority("-----BEGIN CERTIFICATE-----\n", key, _NOW)
    assert not certificates.is_good_server("?", key, _HOSTS, None, _NOW)


def test_a_host_may_be_longer_than_a_common_name() -> None:
    key, host = certificates.new_key(), f"{'a' * 60}.{'b' * 60}.example.com"
    certificate = certificates.server(key, [host], None, _NOW)
    assert certificates.is_good_server(certificate, key, [host], None, _NOW)
