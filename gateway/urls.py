"""What is where."""

from django.urls import path
from drf_spectacular.views import SpectacularSwaggerView

from gateway.health import HealthView, MetricsView, ReadinessView
from gateway.language import CompleteView, FieldsView, TranslateView
from gateway.openapi.document import DocumentView
from gateway.vendor import DevicesView, DeviceView, LastDiscoveryView, PingView, TokenView
from gateway.views import SearchView

urlpatterns = [
    path("search", SearchView.as_view(), name="search"),
    path("fields", FieldsView.as_view(), name="fields"),
    path("complete", CompleteView.as_view(), name="complete"),
    path("translate", TranslateView.as_view(), name="translate"),
    path("api/token/token", TokenView.as_view(), name="vendor-token"),
    path("api/ping", PingView.as_view(), name="vendor-ping"),
    path("discoveries/last", LastDiscoveryView.as_view(), name="vendor-last-discovery"),
    path("devices/devices", DevicesView.as_view(), name="vendor-devices"),
    path("devices/devices/<str:hostname>", DeviceView.as_view(), name="vendor-device"),
    path("healthz", HealthView.as_view(), name="health"),
    path("readyz", ReadinessView.as_view(), name="readiness"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("schema/", DocumentView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(permission_classes=()), name="docs"),
]

handler400 = "gateway.problems.bad_request"
handler404 = "gateway.problems.not_found"
handler500 = "gateway.problems.server_error"
