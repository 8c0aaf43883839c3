"""Room of the inventory's write side: types, documents, their history, and imports."""
