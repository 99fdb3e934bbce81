"""Floor 5: one self-contained HTML page from a run folder."""
