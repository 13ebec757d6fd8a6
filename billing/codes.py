"""Shapes of codes and identifiers on claims: procedure, diagnosis, place, modifier, NPI.

Owns what a well-formed value looks like. Does not own meanings: descriptors are not reproduced,
and whether a code is payable stands in the rule pages.
"""

import re

CODE = re.compile(r"[0-9]{4}[0-9AFMTU]|[A-V][0-9]{4}")
"""A CPT code (four digits and a digit or letter) or a HCPCS level II code."""
DIAGNOSIS = re.compile(r"[A-Z][0-9][0-9AB](\.?[0-9A-Z]{1,4})?")
"""An ICD-10-CM code, with or without its point."""
PLACE = re.compile(r"[0-9]{2}")
MODIFIER = re.compile(r"[0-9A-Z]{2}")
NPI = re.compile(r"[12][0-9]{9}")

_NPI_PREFIX = "80840"
"""ISO prefix of US health identifiers, counted in the check digit but not written."""


def is_procedure_code(text: str) -> bool:
    """Whether the text has the shape of a CPT or HCPCS code."""
    return CODE.fullmatch(text) is not None


def is_diagnosis_code(text: str) -> bool:
    """Whether the text has the shape of an ICD-10-CM code, with or without its point."""
    return DIAGNOSIS.fullmatch(text) is not None


def is_place_of_service(text: str) -> bool:
    """Whether the text is a two-digit place of service from 01 to 99."""
    return PLACE.fullmatch(text) is not None and text != "00"


def is_modifier(text: str) -> bool:
    """Whether the text has the shape of a procedure modifier."""
    return MODIFIER.fullmatch(text) is not None


def npi_is_valid(text: str) -> bool:
    """Whether the text is an NPI: ten digits, first 1 or 2, Luhn digit right with prefix 80840."""
    if not NPI.fullmatch(text):
        return False
    total = 0
    for position, digit in enumerate(reversed(_NPI_PREFIX + text)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
