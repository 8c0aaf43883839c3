"""Process of the gateway, and what stands between its sockets and Django."""
