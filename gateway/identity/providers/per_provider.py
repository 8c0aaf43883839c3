"""Objects that live as long as the process, one for each identity provider: its connections, its metadata, its keys."""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from django.conf import settings
from pydantic import SecretStr

from gateway.http.per_process import PerProcess
from gateway.identity.providers.settings import Provider, read_providers

Made = TypeVar("Made")


class PerProvider(Generic[Made]):  # pylint: disable=too-few-public-methods  # it is called
    """One object of its kind for each provider of ``GATEWAY_PROVIDERS``.

    Args:
        make: makes it.
    """

    def __init__(self, make: Callable[[Provider], Made]) -> None:
        def make_all(table: SecretStr) -> Mapping[str, Made]:
            return {each.issuer: make(each) for each in read_providers(table.get_secret_value()).values()}

        self._made = PerProcess(make_all, lambda: (settings.GATEWAY.providers,))

    def __call__(self, provider: Provider) -> Made:
        """Return the object of a provider of the table."""
        return self._made()[provider.issuer]
