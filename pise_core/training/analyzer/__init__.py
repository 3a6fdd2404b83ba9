"""Training the analyzer."""
