"""Evidence packs checked: what an auditor needs to recompute a bill without the product.

Owns the form of a pack's digests and the recomputation. Does not own the making of packs
(``rpm.actions.evidence_pack``). Imports nothing but Python's standard library, not even the rest
of ``billing``: it is a second, plain reading of the rules on purpose, and these modules packed into
one file run where nothing is installed. ``program`` is the one module that reads files.
"""
