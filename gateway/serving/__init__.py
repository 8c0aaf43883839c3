"""gateway/serving."""
