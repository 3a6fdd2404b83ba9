"""The studio: the page around :mod:`pise_core`."""
