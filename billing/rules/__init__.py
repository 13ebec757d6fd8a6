"""Rules as data: dated pages with a source and a status on every number.

Owns the shape of a rule page, its reading and checking, and the book that answers payer, service
day and known day. Does not own the calculation that applies the rules (``billing.ledger``).
"""
