"""Floor 2: models, teachers, taps and adapters: what has state."""
