"""X12 files of claims: how an element is written, the envelope, the 837P out and back in.

Owns form: separators, loops, counts. Does not own what a claim must say (``billing.claims``), nor
control numbers and instants, which are arguments.
"""
