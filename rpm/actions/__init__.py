"""Actions: one change to the record each, in the transaction of whoever calls.

Owns what a change means: permission, checks, rows written, one audit event. Does not own SQL
(``rpm.store``), HTTP, jobs or commands, and never commits. May import ``rpm.store``, ``billing``
and ``devices``; never ``rpm.web``, ``rpm.jobs`` or ``rpm.cli``.
"""
