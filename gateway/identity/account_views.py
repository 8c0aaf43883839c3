"""``/auth/signup`` and ``/auth/password``: accounts that people make themselves, and their passwords.

Whether an address is known shows in nothing: the answer is the same, the password is hashed in either case, and a mail
is written after the answer (``gateway/identity/mail.py``).
"""

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from drf_spectacular.utils import OpenApiResponse
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.audit.recording import record_event
from gateway.audit.views import CredentialsView
from gateway.http.fields import checked
from gateway.http.openapi import KNOWN, operation
from gateway.http.problems import Code, Problem, malformed
from gateway.identity.account_links import SignUp, read_reset, read_sign_up, send_reset, send_sign_up, use_up
from gateway.identity.authentication import caller
from gateway.identity.login import hashing, log_in_with_password
from gateway.identity.mail import outbox, require_mail
from gateway.identity.models import User
from gateway.identity.proof import ProvenView
from gateway.identity.schema import Asked, UserMade
from gateway.identity.serializers import (
    ChangeSerializer,
    ForgottenSerializer,
    LinkSerializer,
    ResetSerializer,
    SignUpSerializer,
)

_operation = partial(operation, group="Log in")
_asked = partial(_operation, status=HTTPStatus.ACCEPTED, problems=(403, 429, 503))
_CHANGED = {204: OpenApiResponse(description="The password is changed, and every log-in of the user has ended.")}
_LINK = "mail-link"
"""Name in the audit trail of a caller who showed the token of a link."""


class SignUpView(CredentialsView):
    """Sign-up."""

    @_asked("sign_up", Asked, SignUpSerializer)
    def post(self, request: Request) -> Response:
        """Sign up.

        A mail with a link goes to the address. There is no user before the link is used.
        """
        if not settings.GATEWAY.signup:
            raise Problem(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, "Sign-up is off here; ask an administrator for a user.")
        wanted = checked(SignUpSerializer, request.data)
        require_mail(request.META["REMOTE_ADDR"])
        full_name = wanted["full_name"]
        check_password(wanted["password"], User(username=wanted["email"], email=wanted["email"], full_name=full_name))
        sign_up = SignUp.of(wanted["email"], full_name, wanted["password"])
        with outbox().after(partial(send_sign_up, sign_up, datetime.now(UTC))):
            self.record_unknown(request, HTTPStatus.ACCEPTED)
        return Response({}, status=HTTPStatus.ACCEPTED)


class SignUpLinkView(CredentialsView):
    """Proof of an address."""

    @_operation("verify_sign_up", UserMade, LinkSerializer, status=HTTPStatus.CREATED)
    def post(self, request: Request) -> Response:
        """Prove your address, and become a user.

        The token is what stands behind `#sign-up=` in the link of the mail.
        """
        token, now = checked(LinkSerializer, request.data)["token"], datetime.now(UTC)
        sign_up = read_sign_up(token, now)
        if sign_up is None or not settings.GATEWAY.signup:
            raise AuthenticationFailed("The link is invalid or has expired; sign up again.")
        try:
            with transaction.atomic():
                if sign_up.is_taken():
                    raise _used()
                use_up(token, now)
                user = sign_up.make_user()
                draft = self.let_in(request, user.username, _LINK)
                draft.status, draft.query = HTTPStatus.CREATED, "sign up"
                record_event(draft)
        except IntegrityError:
            raise _used() from None
        return Response(UserMade(username=user.username), status=HTTPStatus.CREATED)


class PasswordView(ProvenView):
    """Change of a password."""

    @_operation("change_password", None, ChangeSerializer, also=_CHANGED, problems=(*KNOWN, 403))
    def post(self, request: Request) -> Response:
        """Change your password.

        All your log-ins end, this one too.
        """
        draft = self.begin(request)
        draft.query = "change the password"
        wanted = checked(ChangeSerializer, request.data)
        name = caller(request).get_username()
        user = log_in_with_password(name, wanted["old_password"], request.META["REMOTE_ADDR"])
        check_password(wanted["new_password"], user)
        draft.status = HTTPStatus.NO_CONTENT
        with hashing():
            user.set_password(wanted["new_password"])
        with transaction.atomic():
            user.save(update_fields=["password"])
            record_event(draft)
        return Response(status=draft.status)


class ForgottenPasswordView(CredentialsView):
    """Mail for a new password."""

    @_asked("forgot_password", Asked, ForgottenSerializer)
    def post(self, request: Request) -> Response:
        """Ask for a new password.

        A mail with a link goes to the address, if it is a user's.
        """
        email = checked(ForgottenSerializer, request.data)["email"]
        require_mail(request.META["REMOTE_ADDR"])
        with outbox().after(partial(send_reset, email, datetime.now(UTC))):
            self.record_unknown(request, HTTPStatus.ACCEPTED)
        return Response({}, status=HTTPStatus.ACCEPTED)


class ResetPasswordView(CredentialsView):
    """A new password by a link."""

    @_operation("reset_password", None, ResetSerializer, also=_CHANGED)
    def post(self, request: Request) -> Response:
        """Set a new password by a link.

        The token is what stands behind `#reset=` in the link of the mail. All log-ins of the user end.
        """
        wanted = checked(ResetSerializer, request.data)
        with transaction.atomic():
            user = read_reset(wanted["token"], datetime.now(UTC))
            if user is None:
                raise AuthenticationFailed("The link is invalid, used or has expired; ask for a new one.")
            draft = self.let_in(request, user.username, _LINK)
            draft.query = "reset the password"
            check_password(wanted["new_password"], user)
            with hashing():
                user.set_password(wanted["new_password"])
            # Whoever shows the token has read the mail.
            user.email_verified = True
            user.save(update_fields=["password", "email_verified"])
            draft.status = HTTPStatus.NO_CONTENT
            record_event(draft)
        return Response(status=draft.status)


def check_password(password: str, user: User) -> None:
    """Refuse a password that is easy to guess.

    Raises:
        Problem: 400, says why.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise malformed(" ".join(error.messages)) from None


def _used() -> AuthenticationFailed:
    return AuthenticationFailed("The link has been used, or the address has an account; log in, or sign up again.")
