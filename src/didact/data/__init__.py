"""Floor 2: data sources, resident tensors, batches, augmentation."""
