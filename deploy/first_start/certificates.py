"""The deployment's own certificate authority, and the servers' certificates.

X.509 as RFC 5280 has it, by https://cryptography.io/en/latest/x509/; keys are of the curve P-256.

Why: each run checks certificates by key, issuer, hosts and dates and replaces those that fail, as a removed key or
authority would otherwise leave certificates that nobody trusts. The authority is renewed with its key before it ends,
because nobody would know how to in ten years.
"""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
"""Longest validity that browsers accept."""
RENEW_DAYS = 30
"""A server's certificate that has no more than this left is made anew; an authority's, so that none outlives it."""

# Clocks differ.
_EARLIER = timedelta(hours=1)


def new_key() -> str:
    """A private key as PKCS #8 in PEM form."""
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def authority(key: str, name: str, now: datetime) -> str:
    """The certificate, in PEM form, of an authority that signs servers' certificates and no other authorities."""
    private = _private(key)
    subject = _subject(name)
    usage = _usage(key_cert_sign=True, crl_sign=True)
    return _pem(
        _builder(private, subject, now, AUTHORITY_DAYS)
        .issuer_name(subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(private, hashes.SHA256())
    )


def server(key: str, hosts: list[str], issuer: tuple[str, str] | None, now: datetime) -> str:
    """A server's certificate in PEM form.

    Args:
        key: the server's private key in PEM form.
        hosts: the names and addresses that it answers to; the first is its common name.
        issuer: the authority's key and certificate in PEM form; None for a certificate that vouches for itself.
        now: the moment from which it is good.
    """
    private = _private(key)
    subject = _subject(hosts[0])
    signer, issued_by = private, subject
    if issuer is not None:
        signer, issued_by = _private(issuer[0]), _parsed(issuer[1]).subject
    return _pem(
        _builder(private, subject, now, SERVER_DAYS)
        .issuer_name(issued_by)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )


def is_key(key: str) -> bool:
    """Whether this is a private key, in PEM form, that can sign here."""
    try:
        _private(key)
    except (ValueError, TypeError):
        return False
    return True


def is_good_authority(certificate: str, key: str, now: datetime) -> bool:
    """Whether an authority's certificate is of this key, and outlives every certificate that it may still sign."""
    return _is_current(certificate, key, None, now, SERVER_DAYS + RENEW_DAYS)


def is_good_server(certificate: str, key: str, hosts: list[str], issuer: str | None, now: datetime) -> bool:
    """Whether a server's certificate can go on being used.

    Args:
        certificate: it, in PEM form.
        key: the private key that it must be for.
        hosts: the names and addresses that it must be for, and no others.
        issuer: the certificate of the authority that must have signed it; None: it vouches for itself.
        now: the moment; it must be good for ``RENEW_DAYS`` more.
    """
    if not _is_current(certificate, key, issuer, now, RENEW_DAYS):
        return False
    names = _parsed(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(names) == [_host(host) for host in hosts]


def _is_current(certificate: str, key: str, issuer: str | None, now: datetime, days: int) -> bool:
    try:
        parsed = _parsed(certificate)
        parsed.verify_directly_issued_by(_parsed(issuer) if issuer else parsed)
    except (ValueError, TypeError, InvalidSignature):
        # Damaged, or another authority's: a certificate is no secret, and is made anew.
        return False
    return parsed.public_key() == _private(key).public_key() and parsed.not_valid_after_utc > now + timedelta(days)


def _builder(key: ec.EllipticCurvePrivateKey, subject: x509.Name, now: datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - _EARLIER)
        .not_valid_after(now.astimezone(UTC) + timedelta(days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private(pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("not a key of an elliptic curve")
    return key


def _parsed(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def _subject(name: str) -> x509.Name:
    # RFC 5280 allows 64 characters; clients look at the alternative names, which may be longer.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
