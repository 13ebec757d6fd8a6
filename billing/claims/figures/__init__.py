"""Figures of claims: how clean they leave, what is refused, what is owed and how long it takes.

Owns the definitions, the arithmetic and which claims stand behind each figure. Does not own a
claim's status (``billing.claims.lifecycle``), what a refusal asks for (``billing.claims.denial``),
nor where values are stored. Values in, values out; money is whole cents.
"""
