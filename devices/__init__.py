"""Vendor payloads in; readings and refusals out.

Owns what a reading is, what makes a delivery authentic and how each vendor's format is read. Does
not own receiving or storing deliveries, nor which readings are billable. Values in, values out:
no database, network, clock or environment; never ``rpm`` or ``billing``.
"""
