"""Diagnosis codes that can be billed: the ICD-10-CM release that is shipped.

Owns reading the list. Codes alone, no descriptions. Source: ICD-10-CM April 2026, National Center
for Health Statistics (CDC), in the public domain; taken from simple-icd-10-cm 1.5.0 (MIT). Every
1 October brings new codes and ends others, so a code that the list does not hold is a warning.
"""

import lzma
from functools import cache
from importlib import resources

RELEASE = "April 2026"
_FILE = "icd10cm-2026-04.txt.xz"


@cache
def billable_diagnoses() -> frozenset[str]:
    """Codes without their point that need no further character."""
    packed = resources.files("billing.claims").joinpath("data", _FILE).read_bytes()
    return frozenset(lzma.decompress(packed).decode("ascii").split())
