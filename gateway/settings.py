"""The gateway's settings: the variables ``GATEWAY_*``, and Django's own settings made of them.

This is the only module that reads the environment.
"""

import re
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, ClassVar

from corsheaders.defaults import default_headers
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints
from pydantic_settings import NoDecode, SettingsConfigDict

from contracts.query_event.topics import TopicSettings
from elastic.settings import ElasticsearchSettings
from gateway import __version__
from gateway.http.database import read_database_url
from gateway.identity.signing_keys import read_signing_keys
from kit.kafka import KafkaSettings
from kit.logs import LogFormat, configuration
from kit.settings import HttpUrl, Settings, TracingSettings


def _comma_separated(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _no_audit_trail(index: str) -> str:
    if index.startswith("query-logs"):
        raise ValueError("the audit trail is searched by auditors alone, and not by being listed here")
    return index


def _signing_keys(pem: SecretStr) -> SecretStr:
    if pem.get_secret_value():
        read_signing_keys(pem.get_secret_value())
    return pem


# Lower case and no wildcard, so that a grant names exactly one index or alias.
_IndexName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,254}$"), AfterValidator(_no_audit_trail)]
_Rate = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}/(second|minute|hour|day)$")]
_Origin = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s*]+$")]
_Seconds = Annotated[float, Field(gt=0, le=60)]
_COMMA_SEPARATED = (NoDecode, BeforeValidator(_comma_separated))


def _redis_url(url: SecretStr | None) -> SecretStr | None:
    if url is not None and not re.match(r"(rediss?|redis\+unix)://.", url.get_secret_value()):
        raise ValueError("must be a URL such as redis://127.0.0.1:6379/0")
    return url


def _database_url(url: SecretStr) -> SecretStr:
    read_database_url(url.get_secret_value())
    return url


CREDENTIAL = re.compile(r"[!-~]{1,4096}")
"""What can stand in a header as it is."""


def _credential(credential: SecretStr | None) -> SecretStr | None:
    if credential is not None and not CREDENTIAL.fullmatch(credential.get_secret_value()):
        raise ValueError("must be at most 4,096 printable ASCII characters without spaces")
    return credential


class AuditMode(StrEnum):
    """What an answer waits for: that its event is safe, or nothing."""

    DURABLE = "durable"
    ASYNC = "async"


class GatewaySettings(Settings):
    """What the operator decides, from the variables ``GATEWAY_<FIELD>``. Time-outs are in seconds."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    # Django asks every value of its settings for this; a model that lacks it takes seven times as long to be read.
    _mask_wrapped: ClassVar[bool] = True

    # Only serving needs a key (a check of the gateway says so), commands do not.
    secret_key: SecretStr = SecretStr("")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    threads: int = Field(default=32, ge=1, le=256)
    queue: int = Field(default=64, ge=0, le=10_000)
    bodies: int = Field(default=128, ge=1, le=10_000)
    body_timeout: _Seconds = 10.0
    allowed_hosts: Annotated[tuple[str, ...], *_COMMA_SEPARATED] = ("localhost", "127.0.0.1", "[::1]")
    # A secret, because PostgreSQL's may hold a password.
    database_url: Annotated[SecretStr, AfterValidator(_database_url)] = SecretStr("sqlite:///sluice.db")
    translator_url: HttpUrl = "http://127.0.0.1:8001"
    search_indices: Annotated[tuple[_IndexName, ...], *_COMMA_SEPARATED] = Field(default=("devices",), min_length=1)
    unsigned_tokens: bool = False
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], *_COMMA_SEPARATED] = ()
    cors_origins: Annotated[tuple[_Origin, ...], *_COMMA_SEPARATED] = ()
    user_rate: _Rate = "600/minute"
    address_rate: _Rate = "1200/minute"
    login_failures: _Rate = "10/hour"
    address_login_failures: _Rate = "100/hour"
    recorded_refusals: _Rate = "600/minute"
    redis_url: Annotated[SecretStr | None, AfterValidator(_redis_url)] = None
    # In PEM form; the first signs, all verify. Only serving needs them, as it does the secret key.
    jwt_keys: Annotated[SecretStr, AfterValidator(_signing_keys)] = SecretStr("")
    jwt_issuer: str = Field(default="sluice", min_length=1, max_length=200)
    jwt_audience: str = Field(default="sluice", min_length=1, max_length=200)
    jwt_access_seconds: int = Field(default=300, ge=30, le=3600)
    jwt_refresh_seconds: int = Field(default=7 * 24 * 3600, ge=60, le=90 * 24 * 3600)
    request_timeout: _Seconds = 20.0
    translator_timeout: _Seconds = 5.0
    search_timeout: _Seconds = 10.0
    audit_mode: AuditMode = AuditMode.DURABLE
    audit_timeout: _Seconds = 1.0
    spool_dir: Path = Path("sluice-spool")
    spool_bytes: int = Field(default=256 * 1024 * 1024, ge=1024 * 1024)
    log_format: LogFormat = LogFormat.CONSOLE


class CallerSettings(Settings):
    """What ``python -m gateway search`` shows a gateway, from ``GATEWAY_TOKEN`` or ``GATEWAY_API_KEY``."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    token: Annotated[SecretStr | None, AfterValidator(_credential)] = None
    api_key: Annotated[SecretStr | None, AfterValidator(_credential)] = None


GATEWAY = GatewaySettings.load()
ELASTICSEARCH = ElasticsearchSettings.load()
KAFKA = KafkaSettings.load()
AUDIT = TopicSettings.load()
TRACING = TracingSettings.load()

MAX_BODY_BYTES = 1024 * 1024

SECRET_KEY = GATEWAY.secret_key.get_secret_value()
DEBUG = False
ALLOWED_HOSTS = list(GATEWAY.allowed_hosts)
ROOT_URLCONF = "gateway.urls"
WSGI_APPLICATION = "gateway.serving.wsgi.application"
AUTH_USER_MODEL = "gateway.User"
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
    "gateway",
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
# What ends TLS in front speaks plain HTTP to the gateway, which therefore cannot see that its origin is https.
CSRF_TRUSTED_ORIGINS = [
    f"https://{'*' if host.startswith('.') else ''}{host}" for host in GATEWAY.allowed_hosts if host != "*"
]

CORS_ALLOWED_ORIGINS = GATEWAY.cors_origins
CORS_ALLOW_HEADERS = (*default_headers, "traceparent", "x-request-id")
CORS_EXPOSE_HEADERS = ("Retry-After", "X-Request-ID")

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

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

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
        # A refused request is in the audit trail; a forged Host header is nobody's news.
        "django.request": "CRITICAL",
        "django.security": "CRITICAL",
        "elastic_transport": "ERROR",
        "urllib3": "ERROR",
    },
)
