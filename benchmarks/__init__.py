"""Benchmarks: how long the ledger's work takes, beside a bare peer on the same facts.

Owns synthetic facts, the measuring and the page ``docs/performance.md``. Imports the product and is
never imported by it; not part of the wheel.
"""
