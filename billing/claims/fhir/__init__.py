"""FHIR R4 (4.0.1) resources as plain values, ready for JSON.

Owns their form and the code systems. Does not own where the values are recorded, nor sending. What
is not known is left out and never made up. Texts of CPT codes are the AMA's and stand nowhere.
"""
