"""Filling what nobody has seen: the background, garments beyond their edge, and what is hidden in a part."""
