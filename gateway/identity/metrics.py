"""Metrics of log-ins, keys of providers, and mail."""

from prometheus_client import Counter, Gauge

LOG_INS = Counter(
    "gateway_log_ins",
    "Log-ins by kind of credential, and by outcome: ok, refused or throttled.",
    ["kind", "outcome"],
)
KEY_FETCHES = Counter(
    "gateway_provider_key_fetches",
    "Fetches of the key sets of identity providers, by outcome: ok, failed, or invalid.",
    ["provider", "outcome"],
)
KEY_AGE = Gauge(
    "gateway_provider_key_age_seconds",
    "Age of the key set of an identity provider; of one that has not been fetched yet, the age of the process.",
    ["provider"],
    multiprocess_mode="livemax",
)
MAILS = Counter("gateway_mails", "Mails to users by outcome: sent, failed, or withheld from an address.", ["outcome"])
