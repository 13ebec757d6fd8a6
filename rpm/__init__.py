"""The running service: store, actions, web, jobs and commands around two pure libraries.

Owns time, identity, permission, storage and transport. Does not own billing rules or device
formats: those are ``billing`` and ``devices``, and this package is the only one that imports both.
"""

__version__ = "0.2.0"
