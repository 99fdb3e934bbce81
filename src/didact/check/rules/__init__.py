"""One file per rule; a rule's docstring is its page."""
