"""From a person and what is asked of them to the edited photo."""
