"""HL7 v2 messages: charges out (DFT^P03), admissions in (ADT^A04), and acknowledgments.

Owns their segments. Does not own files, sockets nor what is recorded of a message.
"""
