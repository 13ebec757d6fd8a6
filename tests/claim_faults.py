"""The 40 faults of an 837P: one change each in a sound file of two claims, and what is found.

Owns the faults. Does not own how they are looked for.
"""

from dataclasses import dataclass, replace

from claims_made import CLAIM, claim_file

from billing.claims.x12.p837 import write_837p

SOUND = (
    CLAIM,
    replace(
        CLAIM,
        control_number="C000002",
        lines=tuple(
            replace(line, control_number=f"M{line.control_number}") for line in CLAIM.lines
        ),
    ),
)


@dataclass(frozen=True)
class Fault:
    """A change of the sound file, as text that is there once or first, and the finding for it."""

    number: int
    name: str
    old: str
    new: str
    code: str


def sound_file() -> str:
    """The file without a fault."""
    return write_837p(claim_file(SOUND)).decode()


def faulty_file(fault: Fault) -> bytes:
    """The sound file with one fault."""
    sound = sound_file()
    assert fault.old in sound, fault
    return sound.replace(fault.old, fault.new, 1).encode()


_RENDERING = "NM1*82*1*GREEN*ALICE*M***XX*1245319599~PRV*PE*PXC*207R00000X~"
_LAST_LINE = "LX*3~SV1*HC:99458*84.00*UN*2***1~DTP*472*D8*20261031~REF*6R*L0003~"
_MANY_LINES = "".join(
    f"LX*{number}~SV1*HC:99458*{'84.00' if number == 3 else '0.00'}*UN*2***1~"
    f"DTP*472*D8*20261031~REF*6R*L{number:04d}~"
    for number in range(3, 52)
)
FAULTS = tuple(
    Fault(number, *told)
    for number, told in enumerate(
        (
            ("segment count of the set", "SE*51*", "SE*50*", "E_COUNT"),
            ("total and lines differ", "*204.00***", "*205.00***", "E_TOTAL"),
            ("no subscriber segment", "SBR*P*18*******MB~", "", "E_SEGMENT_MISSING"),
            ("place not in the list", "***11:B:1*", "***97:B:1*", "E_PLACE"),
            ("NPI check digit", "*XX*1245319599~", "*XX*1245319598~", "E_NPI"),
            ("level without parent", "HL*2*1*22*0~", "HL*2*7*22*0~", "E_LEVEL_PARENT"),
            ("no place qualifier", "11:B:1*", "11::1*", "E_ELEMENT_MISSING"),
            ("number of the set", "SE*51*0001~", "SE*51*0002~", "E_CONTROL_NUMBER"),
            ("line number repeated", "LX*2~", "LX*1~", "E_LINE_NUMBER"),
            ("no service date", "DTP*472*D8*20261031~", "", "E_SEGMENT_MISSING"),
            ("no diagnosis", "HI*ABK:I10*ABF:E119~", "", "E_SEGMENT_MISSING"),
            ("pointer to nothing", "***1:2~", "***1:5~", "E_POINTER"),
            ("procedure qualifier", "SV1*HC:99457", "SV1*ZZ:99457", "E_ELEMENT_CODE"),
            ("sex not in the list", "*19480302*F~", "*19480302*X~", "E_ELEMENT_CODE"),
            ("ZIP of five digits", "*627010001~", "*62701~", "W_POSTAL_CODE"),
            ("set count of the group", "GE*1*", "GE*2*", "E_COUNT"),
            ("number of the file", "IEA*1*000000041", "IEA*1*000000042", "E_CONTROL_NUMBER"),
            ("taxonomy", "PE*PXC*207R00000X", "PE*PXC*207R00000Q", "E_TAXONOMY"),
            ("modifier of one letter", "HC:99457*", "HC:99457:9*", "E_MODIFIER"),
            ("unknown diagnosis", "ABF:E119~", "ABF:I109~", "W_DIAGNOSIS_UNKNOWN"),
            ("unknown procedure", "HC:99457*", "HC:99999*", "W_PROCEDURE_UNKNOWN"),
            ("unknown segment", "HI*ABK", "ZZZ*1~HI*ABK", "E_SEGMENT_UNKNOWN"),
            ("51 lines", _LAST_LINE, _MANY_LINES, "E_TOO_MANY_LINES"),
            ("impossible date", "D8*20261031~", "D8*20261131~", "E_DAY"),
            ("no payer name", "NM1*PR*2*MEDICARE B ILLINOIS*****PI*06102~", "", "E_LOOP_MISSING"),
            ("claim number twice", "CLM*C000002*", "CLM*C000001*", "E_CLAIM_TWICE"),
            ("two rendering providers", _RENDERING, _RENDERING * 2, "E_LOOP_REPEATED"),
            ("lower case", "*DOE*JANE*", "*Doe*Jane*", "W_LOWER_CASE"),
            ("frequency not in the list", "11:B:1*", "11:B:3*", "E_FREQUENCY"),
            ("replacement of nothing", "11:B:1*", "11:B:7*", "E_NO_ORIGINAL"),
            ("negative units", "*UN*2*", "*UN*-2*", "E_UNITS"),
            ("no birth date and sex", "DMG*D8*19480302*F~", "", "E_BIRTH_AND_SEX"),
            ("service in the future", "D8*20261031~", "D8*20271031~", "E_FUTURE"),
            ("no guide in the set", "ST*837*0001*005010X222A1~", "ST*837*0001~", "E_VERSION"),
            ("no member id", "***MI*1EG4TE5MK73~", "~", "E_MEMBER_ID_MISSING"),
            ("no tax id", "REF*EI*371234567~", "", "E_SEGMENT_MISSING"),
            ("rendering without NPI", "ALICE*M***XX*1245319599~", "ALICE*M~", "E_NPI_MISSING"),
            ("claim number too long", "CLM*C000001*", f"CLM*{'C' * 39}*", "E_ELEMENT_LENGTH"),
            ("header of wrong length", "*ZZ*LAKESIDE       *", "*ZZ*LAKESIDE*", "E_HEADER_WIDTH"),
            ("three decimals", "*65.00*", "*65.001*", "E_AMOUNT"),
        ),
        start=1,
    )
)
