"""Ground floor of the gateway: problems, requests, limits, time-outs and metrics, without a word of search."""
