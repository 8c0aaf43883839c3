"""The door: who may ask, what was asked, and the answer, recorded before it is given."""
