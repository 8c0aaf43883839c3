"""Metadata of the authorization server (RFC 8414) and of the protected resource (RFC 9728), made from the settings."""

from functools import partial

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.http.openapi import operation
from gateway.http.views import PublicView
from gateway.identity.oauth.grants import enabled_grants
from gateway.identity.providers.bearer_tokens import bearer_providers
from gateway.identity.schema import AuthorizationServer, ProtectedResource

_operation = partial(operation, group="Log in", problems=(429,))
_HEADERS = {"Cache-Control": "public, max-age=300"}
_BY_SECRET = ["client_secret_basic", "client_secret_post"]


class AuthorizationServerView(PublicView):
    """Metadata of the authorization server."""

    @_operation("authorization_server", AuthorizationServer)
    def get(self, request: Request) -> Response:
        """Get the metadata of the authorization server.

        The grants that are on, and where the endpoints are (RFC 8414).
        """
        del request
        url = settings.GATEWAY.public_url
        # A code comes from a log-in by a provider, and not from an authorization endpoint, without which no client
        # could use the grant.
        grants = [grant for grant in enabled_grants() if grant != "authorization_code"]
        metadata = AuthorizationServer(
            issuer=url,
            token_endpoint=f"{url}/oauth/token",
            revocation_endpoint=f"{url}/oauth/revoke",
            introspection_endpoint=f"{url}/oauth/introspect",
            jwks_uri=f"{url}/.well-known/jwks.json",
            service_documentation=f"{url}/docs/",
            response_types_supported=[],
            grant_types_supported=grants,
            token_endpoint_auth_methods_supported=[*_BY_SECRET, "none"],
            revocation_endpoint_auth_methods_supported=[*_BY_SECRET, "none"],
            introspection_endpoint_auth_methods_supported=_BY_SECRET,
        )
        return Response(metadata, headers=_HEADERS)


class ProtectedResourceView(PublicView):
    """Metadata of the protected resource."""

    @_operation("protected_resource", ProtectedResource)
    def get(self, request: Request) -> Response:
        """Get the metadata of the protected resource.

        Which authorization servers issue tokens for it (RFC 9728): this gateway, and the identity providers whose ID
        tokens it takes.
        """
        del request
        url = settings.GATEWAY.public_url
        metadata = ProtectedResource(
            resource=url,
            authorization_servers=[url, *bearer_providers()],
            jwks_uri=f"{url}/.well-known/jwks.json",
            bearer_methods_supported=["header"],
            resource_documentation=f"{url}/docs/",
        )
        return Response(metadata, headers=_HEADERS)
