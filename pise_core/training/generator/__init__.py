"""Training PISE: recipes, losses and the run."""
