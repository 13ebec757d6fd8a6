"""The only place with SQL: tables, engine, migrations, guards, and reads under a scope.

Owns how facts are kept, on SQLite and on PostgreSQL. Does not own what an action means
(``rpm.actions``) nor what follows from facts (``billing``). May import ``billing`` and
``devices``, never ``rpm.actions``, ``rpm.web``, ``rpm.jobs`` or ``rpm.cli``.
"""
