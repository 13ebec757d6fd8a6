"""Coding: a documented visit becomes codes, places and modifiers, or findings that say why not.

Owns the encounter, the choice of code, place and modifiers, and the edits on lines. Does not own
the shipped data it reads (``billing/rules/data/telehealth``), where a visit is kept (``rpm.store``)
nor monitoring (``billing.ledger``). Pure: the known day is an argument.
"""
