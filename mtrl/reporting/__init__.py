"""The report: a comparison in words, curves and tables, as one page."""
