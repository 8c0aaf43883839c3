"""Commands of ``python -m lake``: a module each, whose ``main`` takes the arguments and returns the exit status."""
