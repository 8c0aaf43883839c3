"""URL routes."""

from django.urls import path
from drf_spectacular.views import SpectacularSwaggerSplitView

from gateway.console.views import PageView
from gateway.health import HealthView, MetricsView, ReadinessView
from gateway.http.views import METHODS
from gateway.identity.account_views import (
    ForgottenPasswordView,
    PasswordView,
    ResetPasswordView,
    SignUpLinkView,
    SignUpView,
)
from gateway.identity.admin.site import site
from gateway.identity.console_views import SessionTokenView, SessionView, TicketsView
from gateway.identity.factor_views import ConfirmTotpView, RecoveryCodesView, TotpView
from gateway.identity.oauth.client_views import ClientsView, ClientView
from gateway.identity.oauth.metadata_views import AuthorizationServerView, ProtectedResourceView
from gateway.identity.oauth.views import IntrospectView, OAuthRevokeView, OAuthTokenView
from gateway.identity.providers.views import (
    BeginView,
    CallbackView,
    IdentitiesView,
    IdentityView,
    LinkView,
    ProvidersView,
)
from gateway.identity.user_views import UsersView, UserView
from gateway.identity.views import (
    AccessTokenView,
    KeySetView,
    KeysView,
    KeyView,
    LogInView,
    MeView,
    RefreshView,
    RevokeView,
    VerifyView,
)
from gateway.inventory.consistency import wait_for_change
from gateway.inventory.feed import ChangesView
from gateway.inventory.import_views import ImportView
from gateway.inventory.reports import ReadsView
from gateway.inventory.type_views import TypesView, TypeView
from gateway.inventory.views import (
    ChildrenView,
    ChildView,
    DocumentsView,
    HistoryView,
    RestoreView,
    VersionView,
)
from gateway.inventory.views import (
    DocumentView as InventoryDocumentView,
)
from gateway.notify.delivery_views import DeliveriesView, ResendView
from gateway.notify.inbox_views import NotificationsView, ReadView
from gateway.notify.subscription_views import SubscriptionsView, SubscriptionView
from gateway.octoxlabs.views import DevicesView, DeviceView, LastDiscoveryView, PingView, TokenView
from gateway.openapi import DocumentView
from gateway.saved.views import (
    CollectionsView,
    CollectionView,
    PlaceView,
    SearchesView,
    WatchView,
)
from gateway.saved.views import (
    SearchView as SavedSearchView,
)
from gateway.search.document_views import FoundDocumentView
from gateway.search.download_views import DownloadView
from gateway.search.history_views import HistoryView as OwnHistoryView
from gateway.search.language_views import CompleteView, FieldsView, TranslateView
from gateway.search.views import CursorView, SearchView

urlpatterns = [
    path("search", SearchView.as_view(wait_for_change=wait_for_change), name="search"),
    path("cursors/<str:cursor_id>", CursorView.as_view(), name="cursor"),
    path("documents/<str:index>/<path:document_id>", FoundDocumentView.as_view(), name="document"),
    path("downloads/<str:ticket>", DownloadView.as_view(), name="download"),
    path("history", OwnHistoryView.as_view(), name="history"),
    path("fields", FieldsView.as_view(), name="fields"),
    path("complete", CompleteView.as_view(), name="complete"),
    path("translate", TranslateView.as_view(), name="translate"),
    path("inventory-changes", ChangesView.as_view(), name="inventory-changes"),
    path("inventory-reports/reads", ReadsView.as_view(), name="inventory-reads"),
    path("inventory-types", TypesView.as_view(), name="inventory-types"),
    path("inventory-types/<str:type_name>", TypeView.as_view(), name="inventory-type"),
    path("inventory/<str:type_name>", DocumentsView.as_view(), name="inventory"),
    path("inventory/<str:type_name>/import", ImportView.as_view(), name="inventory-import"),
    path("inventory/<str:type_name>/<str:document_id>", InventoryDocumentView.as_view(), name="inventory-document"),
    path("inventory/<str:type_name>/<str:document_id>/history", HistoryView.as_view(), name="inventory-history"),
    path(
        "inventory/<str:type_name>/<str:document_id>/history/<int:version>",
        VersionView.as_view(),
        name="inventory-version",
    ),
    path("inventory/<str:type_name>/<str:document_id>/restore", RestoreView.as_view(), name="inventory-restore"),
    path(
        "inventory/<str:type_name>/<str:document_id>/<str:child_type>",
        ChildrenView.as_view(),
        name="inventory-children",
    ),
    path(
        "inventory/<str:type_name>/<str:document_id>/<str:child_type>/<str:child_id>",
        ChildView.as_view(),
        name="inventory-child",
    ),
    path("notifications", NotificationsView.as_view(), name="notifications"),
    path("notifications/read", ReadView.as_view(), name="read-notifications"),
    path("searches/", SearchesView.as_view(), name="saved-searches"),
    path("searches/<str:search_id>", SavedSearchView.as_view(), name="saved-search"),
    path("searches/<str:search_id>/watch", WatchView.as_view(), name="watch"),
    path("collections/", CollectionsView.as_view(), name="collections"),
    path("collections/<str:collection_id>", CollectionView.as_view(), name="collection"),
    path("collections/<str:collection_id>/searches/<str:search_id>", PlaceView.as_view(), name="collection-search"),
    path("subscriptions", SubscriptionsView.as_view(), name="subscriptions"),
    path("subscriptions/<str:subscription_id>", SubscriptionView.as_view(), name="subscription"),
    path("deliveries", DeliveriesView.as_view(), name="deliveries"),
    path("deliveries/<str:delivery_id>/resend", ResendView.as_view(), name="resend-delivery"),
    path("auth/signup", SignUpView.as_view(), name="sign-up"),
    path("auth/signup/verify", SignUpLinkView.as_view(), name="verify-sign-up"),
    path("auth/login", LogInView.as_view(), name="log-in"),
    path("auth/password", PasswordView.as_view(), name="password"),
    path("auth/password/forgot", ForgottenPasswordView.as_view(), name="forgotten-password"),
    path("auth/password/reset", ResetPasswordView.as_view(), name="reset-password"),
    path("auth/token", AccessTokenView.as_view(), name="token"),
    path("auth/token/refresh", RefreshView.as_view(), name="refresh-token"),
    path("auth/revoke", RevokeView.as_view(), name="revoke-token"),
    path("auth/me", MeView.as_view(), name="me"),
    path("auth/verify", VerifyView.as_view(), name="verify-token"),
    path("auth/keys", KeysView.as_view(), name="api-keys"),
    path("auth/keys/<str:key_id>", KeyView.as_view(), name="api-key"),
    path("auth/totp", TotpView.as_view(), name="totp"),
    path("auth/totp/confirm", ConfirmTotpView.as_view(), name="confirm-totp"),
    path("auth/recovery-codes", RecoveryCodesView.as_view(), name="recovery-codes"),
    path("auth/session", SessionView.as_view(), name="session"),
    path("auth/session/token", SessionTokenView.as_view(), name="session-token"),
    path("auth/tickets", TicketsView.as_view(), name="tickets"),
    path("auth/users", UsersView.as_view(), name="users"),
    path("auth/users/<str:name>", UserView.as_view(), name="user"),
    path("auth/providers", ProvidersView.as_view(), name="providers"),
    path("auth/identities", IdentitiesView.as_view(), name="identities"),
    path("auth/identities/<int:identity_id>", IdentityView.as_view(), name="identity"),
    # Behind all other paths below auth/, whose names no provider may have.
    path("auth/<str:provider>", BeginView.as_view(), name="begin-provider-log-in"),
    path("auth/<str:provider>/callback", CallbackView.as_view(), name="end-provider-log-in"),
    path("auth/<str:provider>/link", LinkView.as_view(), name="link-identity"),
    path("oauth/token", OAuthTokenView.as_view(), name="oauth-token"),
    path("oauth/revoke", OAuthRevokeView.as_view(), name="oauth-revoke"),
    path("oauth/introspect", IntrospectView.as_view(), name="oauth-introspect"),
    path("oauth/clients", ClientsView.as_view(), name="oauth-clients"),
    path("oauth/clients/<str:client_id>", ClientView.as_view(), name="oauth-client"),
    path(".well-known/oauth-authorization-server", AuthorizationServerView.as_view(), name="authorization-server"),
    path(".well-known/oauth-protected-resource", ProtectedResourceView.as_view(), name="protected-resource"),
    path(".well-known/jwks.json", KeySetView.as_view(), name="key-set"),
    path("api/token/token", TokenView.as_view(), name="octoxlabs-token"),
    path("api/ping", PingView.as_view(), name="octoxlabs-ping"),
    path("discoveries/last", LastDiscoveryView.as_view(), name="octoxlabs-last-discovery"),
    path("devices/devices", DevicesView.as_view(), name="octoxlabs-devices"),
    path("devices/devices/<str:hostname>", DeviceView.as_view(), name="octoxlabs-device"),
    path("healthz", HealthView.as_view(), name="health"),
    path("readyz", ReadinessView.as_view(), name="readiness"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("schema/", DocumentView.as_view(), name="schema"),
    path("admin/", site.urls),
    path("docs/", SpectacularSwaggerSplitView.as_view(permission_classes=(), http_method_names=METHODS), name="docs"),
    path("", PageView.as_view(), name="console"),
]

handler400 = "gateway.http.problems.bad_request"
handler404 = "gateway.http.problems.not_found"
handler500 = "gateway.http.problems.server_error"
