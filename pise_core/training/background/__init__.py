"""Training of the network that expects what lies behind somebody."""
