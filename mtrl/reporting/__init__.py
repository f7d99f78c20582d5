"""The report's page: its answers, reasons, rows, curves and templates."""
