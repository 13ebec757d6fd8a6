"""Documents on paper: PDF files made from what actions give.

Owns their look. Does not own what they say (``rpm.actions``) nor giving them out (``rpm.web``,
``rpm.commands``). May import the standard library, fpdf2, ``billing`` and ``rpm.written``.
"""
