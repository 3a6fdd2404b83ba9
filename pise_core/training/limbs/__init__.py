"""Training of the networks that look at each arm, or each leg, in its own frame."""
