"""What each finding of a claim file means and what to do about it, in plain words.

Owns the words. Does not own when a finding is made (``scrub``). ``{part}`` names the segment,
loop or element in question, never a value.
"""

from collections.abc import Mapping

_RESEND = "Have the file made anew; it was changed or cut off after it was written."

TEXTS: Mapping[str, tuple[str, str]] = {
    # the envelope
    "E_HEADER_WIDTH": (
        "An element of the interchange header (ISA) has the wrong width.",
        "Pad it with spaces to its fixed width; the header has 106 characters.",
    ),
    "E_CHARACTER": (
        "The file holds characters that are not ASCII.",
        "Write names without accents and without typesetters' quotes.",
    ),
    "E_CUT_OFF": ("The file ends within a segment.", _RESEND),
    "E_TRAILER": ("The trailer {part} is missing or stands in the wrong place.", _RESEND),
    "E_CONTROL_NUMBER": (
        "The number in this trailer differs from the one in its header.",
        "Give header and trailer the same number.",
    ),
    "E_COUNT": ("The count in this trailer is wrong.", _RESEND),
    "E_VERSION": (
        "{part} does not name the guide 005010X222A1.",
        "Name 005010X222A1 in GS08 and ST03.",
    ),
    "E_SET_NUMBER": (
        "The number of a transaction set is used twice.",
        "Number the sets of a file differently.",
    ),
    # structure
    "E_SEGMENT_UNKNOWN": (
        "This segment does not belong here.",
        "Take it out, or move it to the loop it belongs to.",
    ),
    "E_SEGMENT_MISSING": ("{part} is missing.", "Add it."),
    "E_SEGMENT_REPEATED": ("{part} stands here more often than it may.", "Keep one."),
    "E_SEGMENT_ORDER": ("This segment stands behind one it must precede.", "Put it in order."),
    "E_LOOP_MISSING": ("{part} is missing.", "Add it."),
    "E_LOOP_REPEATED": ("{part} stands here more often than it may.", "Keep one."),
    "E_TOO_MANY_LINES": (
        "The claim has more than 50 service lines.",
        "Split it into claims of at most 50 lines.",
    ),
    "E_LEVEL_NUMBER": (
        "The levels are not numbered 1, 2, 3 in order.",
        "Number the HL segments of the set in order.",
    ),
    "E_LEVEL_PARENT": (
        "The level hangs under one that does not exist or is of the wrong kind.",
        "Name the number of the level above in HL02.",
    ),
    "E_LEVEL_CHILDREN": (
        "The level says wrongly whether others hang under it.",
        "Write 1 in HL04 where levels follow, else 0.",
    ),
    "E_LINE_NUMBER": (
        "Service lines are not numbered 1, 2, 3 in order.",
        "Number the LX segments of the claim in order.",
    ),
    # elements
    "E_ELEMENT_MISSING": ("{part} is empty.", "Fill it."),
    "E_ELEMENT_CODE": ("{part} is not one of the codes it may be.", "Use a code of the guide."),
    "E_ELEMENT_LENGTH": ("{part} is too long.", "Shorten it; identifiers must not be cut."),
    "E_DAY": ("{part} is not a day of the calendar.", "Write it as CCYYMMDD."),
    "E_AMOUNT": (
        "{part} is not an amount of dollars and at most two decimals, zero or more.",
        "Write dollars and cents.",
    ),
    "E_UNITS": ("{part} is not a number of units above zero.", "Correct the units."),
    "E_NUMBER": ("{part} is not a whole number.", "Number it."),
    "E_NPI": ("{part} is not an NPI: its check digit is wrong.", "Look the NPI up and correct it."),
    "E_NPI_MISSING": ("The NPI is missing.", "Add the NPI with qualifier XX."),
    "W_NPI_MISSING": ("The NPI is missing.", "Add the NPI with qualifier XX where there is one."),
    "E_MEMBER_ID_MISSING": ("The member id is missing.", "Add it from the patient's coverage."),
    "E_TAXONOMY": (
        "{part} is not a taxonomy code: nine letters or digits and an X.",
        "Use the code that the provider is enrolled with.",
    ),
    "E_PLACE": ("{part} is not a place of service code.", "Use a code of CMS's list."),
    "E_FREQUENCY": (
        "{part} is not a claim frequency: 1 original, 7 replacement, 8 void.",
        "Use 1, 7 or 8.",
    ),
    "E_MODIFIER": ("{part} is not a modifier of two letters or digits.", "Correct the modifier."),
    "E_PROCEDURE": ("{part} does not have the form of a procedure code.", "Correct the code."),
    "W_PROCEDURE_UNKNOWN": (
        "{part} is in no list of codes that was given.",
        "Check that the code exists on the day of service, or give a list that holds it.",
    ),
    "E_DIAGNOSIS": ("{part} does not have the form of an ICD-10-CM code.", "Correct the code."),
    "W_DIAGNOSIS_UNKNOWN": (
        "{part} is not in the list of ICD-10-CM codes that can be billed.",
        "Use a code in force on the day of service, to its last character.",
    ),
    "E_DIAGNOSIS_SYSTEM": (
        "The diagnosis is told as ICD-9, for services from 2015-10-01 on.",
        "Use ICD-10-CM with qualifiers ABK and ABF.",
    ),
    "W_LOWER_CASE": (
        "The segment holds lower-case letters, which some receivers refuse.",
        "Write upper case.",
    ),
    # claims
    "E_TOTAL": (
        "The claim's total differs from the sum of its lines.",
        "Make CLM02 the sum of the lines' charges.",
    ),
    "E_POINTER": (
        "A line points to a diagnosis that the claim does not have.",
        "Point to diagnoses of the claim, 1 to 12, at most four, each once.",
    ),
    "E_CLAIM_TWICE": (
        "The patient control number is used twice in the file.",
        "Give each claim a number of its own, or answers cannot be told apart.",
    ),
    "E_LINE_TWICE": (
        "A line control number is used twice in the claim.",
        "Give each line a number of its own.",
    ),
    "E_NO_ORIGINAL": (
        "A replacement or void does not name the claim it is about.",
        "Add REF*F8 with the payer's claim number of the claim that was answered.",
    ),
    "W_ORIGINAL_NAMED": (
        "An original claim names another claim (REF*F8).",
        "Make it a replacement (7), or take the reference out.",
    ),
    "E_RELATIONSHIP": (
        "The relationship (SBR02) must be 18 when the subscriber is the patient, and empty else.",
        "Correct SBR02, or add the patient's level.",
    ),
    "E_BIRTH_AND_SEX": (
        "The subscriber is the patient, and birth date and sex (DMG) are missing.",
        "Add them from the patient's record.",
    ),
    "E_PATIENT_ADDRESS": (
        "The subscriber is the patient, and the address is missing.",
        "Add it from the patient's record.",
    ),
    "W_POSTAL_CODE": (
        "The postal code has not nine digits, as billing provider and facility need.",
        "Write ZIP+4 without hyphen.",
    ),
    "W_POST_BOX": (
        "The billing provider's address is a post box.",
        "Give the street address here and the post box as pay-to address.",
    ),
    "E_FUTURE": (
        "The day of service lies in the future.",
        "Send the claim after the service, or correct the day.",
    ),
    "E_BEFORE_BIRTH": (
        "The day of service lies before the patient's birth.",
        "Correct whichever day is wrong.",
    ),
    "E_RANGE": ("The service ends before it begins.", "Exchange the days, or correct them."),
    "E_RANK": (
        "Two payers of the claim have the same rank.",
        "Give each coverage its own rank: primary, secondary, tertiary.",
    ),
}
