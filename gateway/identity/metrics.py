"""Metrics of log-ins and mail."""

from prometheus_client import Counter

LOG_INS = Counter(
    "gateway_log_ins",
    "Log-ins by kind of credential, and by outcome: ok, refused or throttled.",
    ["kind", "outcome"],
)
MAILS = Counter("gateway_mails", "Mails to users by outcome: sent, failed, or withheld from an address.", ["outcome"])
