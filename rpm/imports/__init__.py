"""Files in: a practice's own columns become rows for the actions, or refusals with a reason.

Owns profiles (which column is what), reading CSV, XLSX and JSON, and turning cells into values.
Does not own what happens to a row: no database, no permission, no clock. May import ``devices`` and
the vocabularies of ``billing``.
"""
