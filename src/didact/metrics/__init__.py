"""Floor 1: numbers about predictions, and statistics over seeds."""
