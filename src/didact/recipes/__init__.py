"""Floor 5: typed functions that name a run fully."""
