"""The report: its answers, diagnoses, tables, charts and templates."""
