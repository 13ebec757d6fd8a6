"""Mutation of the billing rules: small wrong changes that the tests must see.

``python -m mutation`` (see ``make mutation``) makes every mutant of ``billing/ledger`` and
``billing/rules``, tries the tests that reach it, and writes ``docs/mutation.md``.
"""
