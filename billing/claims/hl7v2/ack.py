"""Acknowledgments of HL7 v2 messages: AA taken, AE kept but not understood.

Owns the answer. Does not own when it is given: only after the message is stored.
"""

from datetime import datetime

from billing.claims.hl7v2.dft import PRODUCT, VERSION
from billing.claims.hl7v2.write import CHARACTERS, ENCODING, FIELD, segment

ACCEPTED, ERROR = "AA", "AE"


def acknowledgment(code: str, message_id: str, answer_id: str, made_at: datetime) -> bytes:
    """The answer to a message; without its id, when that could not be read, MSA-2 is empty.

    A text of the message is never repeated.
    """
    head = segment(
        "",
        PRODUCT,
        *("", "", ""),
        f"{made_at:%Y%m%d%H%M%S%z}",
        "",
        "ACK",
        answer_id[:20],
        "P",
        VERSION,
        *("", "", "", "", ""),
        CHARACTERS,
    )
    return f"MSH{FIELD}{ENCODING}{head}{segment('MSA', code, message_id)}".encode()
