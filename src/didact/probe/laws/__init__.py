"""One file for each group of laws; every file here is found by itself."""
