"""Facts and rules in; periods, billable events, findings and progress out.

Owns the one calculation that dashboard, close, what-if and bulk run share. Does not own rule
content (``billing.rules``), storage or clocks.
"""
