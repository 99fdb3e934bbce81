"""Training of the models that come with the program, and of better ones from real data."""
