"""HTTP: what may be asked, by whom, and in which form the answer comes.

Owns routes, their dependencies, problem answers and the guards before them. Does not own changes to
the record (``rpm.actions``) nor queries (``rpm.store``).
"""
