"""The command line: ``python -m pise_core``."""
