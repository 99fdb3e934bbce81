"""A tower of its own: static analysis of distillation code, with the standard library alone."""
