"""Floor 4: numeric laws that any distillation loss must obey."""
