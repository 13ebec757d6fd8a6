"""Facts and dated rules in; billable events, findings, claims and figures out.

Owns the rules as data, the ledger calculation and money. Does not own storage, clocks, networks,
zones or identifiers: values in, values out. May import numpy, pandas and the standard library;
never ``rpm``, ``devices``, a database, a framework, the environment or a log. The files it may
read are its own shipped rule data and, in ``evidence.program``, packs to check.
"""
