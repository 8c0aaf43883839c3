"""Change of the inventory: its types, schema, examples, reader, and topics."""
