"""The catalogue of what ``explain`` says: every sentence in both languages, side by side."""
