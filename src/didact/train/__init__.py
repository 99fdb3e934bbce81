"""Floor 4: the training loops."""
