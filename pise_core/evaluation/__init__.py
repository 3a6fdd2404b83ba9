"""``python -m pise_core evaluate``: what the networks do on photos they have not seen, beside simple rivals."""
