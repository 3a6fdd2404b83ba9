"""Wearing a garment, cut and all: the lender's layer (``garment``), what changes on the wearer (``outfit``), and the
picture (``wear``)."""
