"""Files for the billing system: service lines as a table, and a summary a person can read.

Owns their form. Does not own what is billed (``billing.ledger``) nor where files are kept.
"""
