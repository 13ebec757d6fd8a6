"""Alerts: what a practice's own limits say of readings, devices and silence.

Owns the form of a limit, the evaluation (values in, values out) and the page of published starting
points. Does not own which limits a practice has adopted, nor what becomes of an alert (``rpm``).
No limit is built in: until a practice adopts some, nothing is raised.
"""

NOTICE = (
    "Readings are not watched around the clock and an alert may come late or not at all."
    " This is no emergency service: in an emergency call 911."
)
"""Stands on every answer and page that shows alerts or limits."""
