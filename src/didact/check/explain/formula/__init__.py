"""Formulas: trees that are printed, evaluated and compared with the named definitions."""
