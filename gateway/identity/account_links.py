"""Links that are sent by mail: one makes a user, one sets a new password.

Neither leaves a row before it is used. A sign-up is sealed into its link, with the password as its hash alone, so that
an address that nobody has proven is in no table, and strangers can fill none. That it was used is noted, as a digest,
so that it makes no user again who has been erased since. The link for a new password is bound to the present one, and
so works once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db.models import Q
from django.utils.crypto import constant_time_compare

from gateway.identity.account_models import UsedFlow
from gateway.identity.login import hashing
from gateway.identity.mail import send
from gateway.identity.models import User
from gateway.identity.sealing import seal, unseal

SIGN_UP_LIFE = timedelta(hours=24)
RESET_LIFE = timedelta(hours=1)
_SIGN_UP = "gateway.identity.sign_up"
_RESET = "gateway.identity.reset"


@dataclass(frozen=True, slots=True)
class SignUp:
    """A sign-up whose address is not proven yet; of the password only the hash."""

    email: str
    full_name: str
    password: str

    @classmethod
    def of(cls, email: str, full_name: str, password: str) -> "SignUp":
        """Hash the password.

        Raises:
            Unavailable: as many passwords as may be are being hashed.
        """
        with hashing():
            return cls(email, full_name, make_password(password))

    def is_taken(self) -> bool:
        """Whether there is a user of the address, or of its name."""
        return User.objects.filter(Q(email=self.email) | Q(username=self.email)).exists()

    def make_user(self) -> User:
        """Make the user, whose address is proven."""
        user = User(
            username=self.email,
            email=self.email,
            email_verified=True,
            full_name=self.full_name,
            password=self.password,
            granted_indices=list(settings.GATEWAY.signup_indices),
        )
        user.save(force_insert=True)
        return user


def sign_up_token(sign_up: SignUp, now: datetime) -> str:
    """The token of a link that makes the user."""
    expires_at = int((now + SIGN_UP_LIFE).timestamp())
    return seal(_SIGN_UP, [expires_at, sign_up.email, sign_up.full_name, sign_up.password])


def read_sign_up(token: str, now: datetime) -> SignUp | None:
    """The sign-up of a token; None if it is invalid or has expired."""
    read = unseal(_SIGN_UP, token)
    if read is None or read[0] <= now.timestamp():
        return None
    return SignUp(*read[1:])


def use_up(token: str, now: datetime) -> None:
    """Note that the token of a sign-up is used.

    Raises:
        IntegrityError: it has been used before.
    """
    UsedFlow.objects.delete_expired(now)
    UsedFlow.objects.create(digest=sha256(token.encode()).hexdigest(), expires_at=now + SIGN_UP_LIFE)


def reset_token(user: User, now: datetime) -> str:
    """The token of a link that sets the user's password, until that is changed."""
    expires_at = int((now + RESET_LIFE).timestamp())
    return seal(_RESET, [expires_at, user.pk, user.email, user.get_session_auth_hash()])


def read_reset(token: str, now: datetime) -> User | None:
    """The user of a token, locked for the transaction; None if it is invalid, used or has expired."""
    read = unseal(_RESET, token)
    if read is None or read[0] <= now.timestamp():
        return None
    _, key, email, mark = read
    user = User.objects.select_for_update(no_key=True).filter(pk=key, email=email, is_active=True).first()
    return user if user is not None and constant_time_compare(user.get_session_auth_hash(), mark) else None


def send_sign_up(sign_up: SignUp, now: datetime) -> None:
    """Send the link to who has signed up; to who has an account already, a mail that says so."""
    if sign_up.is_taken():
        send(
            sign_up.email,
            "You have an account",
            f"Somebody, probably you, has signed up at {settings.GATEWAY.public_url} with this address, which has an "
            "account already. Log in there; if you have forgotten the password, ask for a new one.\n\n"
            "If it was not you, there is nothing to do.\n",
        )
        return
    send(
        sign_up.email,
        "Confirm your address",
        f"Somebody, probably you, has signed up at {settings.GATEWAY.public_url} with this address. To confirm it, "
        f"open this link within {SIGN_UP_LIFE // timedelta(hours=1)} hours:\n\n"
        f"{settings.GATEWAY.public_url}/#sign-up={sign_up_token(sign_up, now)}\n\n"
        "If it was not you, do not open the link: whoever signed up knows the password of the account that it makes.\n",
    )


def send_reset(email: str, now: datetime) -> None:
    """Send a link for a new password to the active user of an address, if there is one."""
    user = User.objects.filter(email=email, is_active=True).first()
    if user is not None:
        send(
            email,
            "A new password",
            f"Somebody, probably you, has asked for a new password at {settings.GATEWAY.public_url}. To set one, open "
            f"this link within {RESET_LIFE // timedelta(minutes=1)} minutes:\n\n"
            f"{settings.GATEWAY.public_url}/#reset={reset_token(user, now)}\n\n"
            "If it was not you, there is nothing to do: the password stays as it is.\n",
        )
