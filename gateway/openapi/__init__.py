"""What the OpenAPI document says of the endpoints, one module a family: answers, examples and problems."""
