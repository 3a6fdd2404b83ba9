"""Endpoints for other programs."""
