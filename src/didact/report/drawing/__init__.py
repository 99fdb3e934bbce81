"""Numbers as text and curves as SVG, for every page.

In come numbers. Calls no other room of the report.
"""
