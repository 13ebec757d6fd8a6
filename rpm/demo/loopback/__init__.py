"""A rehearsal of a clearinghouse on this machine: for the demo and the tests, for nothing else.

Owns a server that takes files over SFTP and the answers it makes up. It sends nothing to any payer,
and no answer of it says what a payer would do. Needs the extra ``demo``.
"""
