"""Training of the network that looks at each arm in its own frame."""
