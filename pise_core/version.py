"""The version of library and studio."""

__version__ = "0.2.0"
