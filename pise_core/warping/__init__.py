"""Moving what is known of a person from one pose to another."""
