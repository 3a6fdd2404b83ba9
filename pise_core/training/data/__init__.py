"""What is learned from: folders, samples, pairs and batches."""
