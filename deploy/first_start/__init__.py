"""Makes the deployment's secrets at its first start, and puts each before the one service that reads it."""
