"""The gateway's settings: the variables ``GATEWAY_*``, and Django's own settings made of them.

Each room describes its variables in its own module ``settings``; here they are read, once.
"""

from typing import ClassVar

from corsheaders.defaults import default_headers

from contracts.console_event.topics import ConsoleTopicSettings
from contracts.inventory_change.topics import InventoryTopicSettings
from contracts.query_event.topics import TopicSettings
from elastic.settings import ElasticsearchSettings
from gateway.audit.settings import AuditSettings
from gateway.console.settings import IMMUTABLE_FILES
from gateway.http.database import read_database_url
from gateway.http.settings import HttpSettings
from gateway.identity.settings import IdentitySettings
from gateway.inventory.settings import InventorySettings
from gateway.live.settings import LiveSettings
from gateway.notify.settings import NotifySettings
from gateway.search.settings import SearchSettings
from gateway.serving.settings import ProcessRole, ServingSettings
from kit import __version__
from kit.kafka import KafkaSettings
from kit.logs import configuration
from kit.settings import TracingSettings


class GatewaySettings(  # pylint: disable=too-many-ancestors  # a room each
    ServingSettings,
    LiveSettings,
    NotifySettings,
    InventorySettings,
    SearchSettings,
    IdentitySettings,
    AuditSettings,
    HttpSettings,
):
    """All variables ``GATEWAY_<FIELD>``, each described in the ``settings`` of its room."""

    # Django asks every value of its settings for this; a model that lacks it takes seven times as long to be read.
    _mask_wrapped: ClassVar[bool] = True


GATEWAY = GatewaySettings.load()
ELASTICSEARCH = ElasticsearchSettings.load()
KAFKA = KafkaSettings.load()
AUDIT = TopicSettings.load()
INVENTORY = InventoryTopicSettings.load()
CONSOLE = ConsoleTopicSettings.load()
TRACING = TracingSettings.load()

MAX_BODY_BYTES = 1024 * 1024

SECRET_KEY = GATEWAY.secret_key.get_secret_value()
DEBUG = False
ALLOWED_HOSTS = list(GATEWAY.allowed_hosts)
ROOT_URLCONF = "gateway.urls"
WSGI_APPLICATION = "gateway.serving.wsgi.application"
AUTH_USER_MODEL = "identity.User"
PASSWORD_HASHERS = ["gateway.identity.password_hasher.Argon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "gateway.identity",
    "gateway.search",
    "gateway.inventory",
    "gateway.notify",
    "gateway.saved",
    "gateway.console",
    "gateway.cli",
    "gateway.serving",
]

MIDDLEWARE = [
    "gateway.http.request_metrics.measure",
    *(["gateway.http.request_spans.name_by_route"] if TRACING.on else []),
    "gateway.http.correlation.correlate",
    "gateway.http.deadline.keep_deadline",
    "gateway.http.client_address.find_client",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    *(["corsheaders.middleware.CorsMiddleware"] if GATEWAY.cors_origins else []),
    "gateway.audit.address_throttle.throttle_addresses",
    *(["gateway.serving.roles.hold_to_role"] if GATEWAY.role is not ProcessRole.ALL else []),
    "gateway.http.allowed_hosts.HeldToHosts",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # For /admin/ alone.
    "gateway.identity.admin.site.Session",
    "gateway.identity.admin.site.Csrf",
    "gateway.identity.admin.site.Authentication",
    "gateway.identity.admin.site.Messages",
    "gateway.identity.admin.site.DatabaseFaults",
]

SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = "/admin/"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_AGE = 8 * 3600
# The proxy that ends TLS speaks plain HTTP to the gateway, which therefore cannot see that its origin is https.
CSRF_TRUSTED_ORIGINS = [
    f"https://{'*' if host.startswith('.') else ''}{host}" for host in GATEWAY.allowed_hosts if host != "*"
]

CORS_ALLOWED_ORIGINS = GATEWAY.cors_origins
CORS_ALLOW_HEADERS = (
    *default_headers,
    "idempotency-key",
    "if-match",
    "if-none-match",
    "prefer",
    "traceparent",
    "x-request-id",
)
CORS_EXPOSE_HEADERS = (
    "ETag",
    "Location",
    "Retry-After",
    "X-Consistency-Token",
    "X-Query-ID",
    "X-Query-Notices",
    "X-Request-ID",
)

DATABASES = {"default": read_database_url(GATEWAY.database_url.get_secret_value())}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

ANYMAIL = {"REQUESTS_TIMEOUT": 10}

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_IMMUTABLE_FILE_TEST = IMMUTABLE_FILES

X_FRAME_OPTIONS = "DENY"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["gateway.identity.authentication.HeaderAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["gateway.http.user_throttle.UserThrottle"],
    "DEFAULT_PARSER_CLASSES": ["gateway.http.json_media.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["gateway.http.json_media.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "gateway.http.json_media.AlwaysJSON",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "gateway.http.problems.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": ["gateway.http.json_media.JSONRenderer"],
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Sluice",
    "DESCRIPTION": "Searches asset inventories; every search is recorded before it is answered.",
    "VERSION": __version__,
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "OAS_VERSION": "3.1.1",
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "TAGS": [
        {"name": name, "description": description}
        for name, description in {
            "Search": "Search an index: by page, by cursor, or as a stream; save searches, share and watch them.",
            "Inventory": "Write and read documents by type: by key, below one another, and with their history.",
            "Notifications": "What you are told of changes, in your inbox, by mail and by webhooks.",
            "Query language": "The fields that a query can name, its completion, and its translation.",
            "Log in": "Get a token, renew it, end it, and see whose it is.",
            "Administration": "Users and OAuth clients, for administrators.",
            "API keys": "Keys by which programs log in.",
            "The octoxlabs client": "The paths that the client `octoxlabs` on PyPI asks.",
            "Health": "Whether the gateway and what it depends on work, its metrics, and this document.",
        }.items()
    ],
    "ENUM_NAME_OVERRIDES": {"RoleEnum": "gateway.identity.models.Role"},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "gateway.openapi.complete",
    ],
}

LOGGING = configuration(
    "gateway",
    GATEWAY.log_format,
    {
        "gateway": "INFO",
        # A refused request is in the audit trail; a forged Host header is no news.
        "django.request": "CRITICAL",
        "django.security": "CRITICAL",
    },
)
