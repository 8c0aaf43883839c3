"""Ground floor of the gateway: problems, requests, limits, time-outs and metrics.

Of search it knows only that a query may be rejected, and by which codes (``problems``): every room answers with
problems, and their codes are one list.
"""
