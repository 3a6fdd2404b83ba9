"""Training of the network that knows what of a person lies behind arms and head."""
