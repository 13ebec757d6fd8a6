"""Reads, by area; every query takes a scope or an organization first.

Owns SELECT statements that more than one place needs. Does not own writing (``rpm.store.chain``)
nor what is shown of the rows (``rpm.web``).
"""
