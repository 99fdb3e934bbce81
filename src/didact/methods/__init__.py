"""Floor 3: one file per class-incremental method."""
