"""The zoo: one file for each family; every file here is found by itself."""
