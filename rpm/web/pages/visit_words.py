"""Visits in words: labels of payers, places, modalities and the other choices of the form.

Owns these words and which facts the form asks for by name. Does not own the facts
(``billing.coding.encounter``).
"""

from collections.abc import Mapping, Sequence

Choices = Sequence[tuple[str, str]]

PAYER_WORDS = {
    "MCR": "Medicare",
    "MCR_RHC": "Medicare, rural health clinic",
    "MCR_FQHC": "Medicare, health center (FQHC)",
    "HUMANA_MA": "Humana Medicare Advantage",
    "BCBSNC_MA": "Blue Cross NC Medicare Advantage",
    "AETNA_MA": "Aetna Medicare Advantage",
    "UHC_COM": "UnitedHealthcare commercial",
    "AETNA_COM": "Aetna commercial",
    "CIGNA_COM": "Cigna commercial",
    "ANTHEM_COM": "Anthem commercial",
    "BCBSM": "Blue Cross Blue Shield of Michigan",
    "BCBSNC_COM": "Blue Cross NC commercial",
    "HORIZON": "Horizon BCBS of New Jersey",
    "MCD_CA": "Medi-Cal (California)",
    "MCD_FL": "Florida Medicaid",
    "MCD_IL": "Illinois Medicaid",
    "MCD_NC": "North Carolina Medicaid",
    "MCD_TX": "Texas Medicaid",
    "MCD_NY": "New York Medicaid",
}
_NOT_TOLD = ("", "not told")
CHOICES: Mapping[str, Choices] = {
    "payer": tuple(PAYER_WORDS.items()),
    "modality": (
        ("AV", "by video"),
        ("AUDIO", "by phone"),
        ("ASYNC", "by message or stored image"),
        ("IN_PERSON", "in person"),
        ("NONE", "without contact"),
    ),
    "patient_location": (
        ("HOME", "at home"),
        ("FACILITY", "in a facility"),
        ("NONFACILITY", "elsewhere (car, work, public place)"),
        ("ABROAD", "abroad"),
        ("NONE", "no contact with the patient"),
    ),
    "provider_type": tuple(
        (one, one)
        for one in (
            *("MD", "NP", "PA", "CP", "CSW", "LPC", "MFT", "MHC"),
            *("PT", "OT", "SLP", "AUD", "RD", "RHC", "FQHC"),
        )
    ),
    "provider_site": (("OFFICE", "office"), ("HOSPITAL", "hospital"), ("HOME", "home")),
    "patient_status": (_NOT_TOLD, ("EST", "established"), ("NEW", "new")),
    "level_basis": (_NOT_TOLD, ("MDM", "decision making"), ("TIME", "time")),
    "mdm": (
        _NOT_TOLD,
        ("SF", "straightforward"),
        ("LOW", "low"),
        ("MOD", "moderate"),
        ("HIGH", "high"),
    ),
    "service": (
        ("", "a visit, or what the lines say"),
        ("visit", "a visit"),
        ("check_in", "a check-in"),
        ("image_review", "review of a stored image"),
        ("e_visit", "a portal visit"),
        ("therapy", "psychotherapy"),
        ("econsult", "an e-consult"),
    ),
    "facility": (
        _NOT_TOLD,
        ("physician_office", "another physician's office"),
        ("urgent_care", "urgent care"),
        ("hospital_clinic", "hospital clinic"),
        ("hospital_inpatient", "hospital"),
        ("cah", "critical access hospital"),
        ("rhc", "rural health clinic"),
        ("fqhc", "health center"),
        ("nursing_facility", "nursing facility"),
        ("school", "school"),
        ("own_office", "our own office"),
        ("other", "other"),
    ),
    "consent": (_NOT_TOLD, ("documented", "documented"), ("missing", "missing")),
    "video_capable": (
        _NOT_TOLD,
        ("Y", "yes"),
        ("N", "no"),
        ("missing", "not in the note"),
    ),
    "audio_reason": (_NOT_TOLD, ("documented", "documented"), ("missing", "missing")),
}
"""Choices of each field that has them."""
COLUMNS = (
    *("payer", "state", "dos", "provider_type", "provider_site", "patient_location", "modality"),
    *("patient_status", "level_basis", "mdm", "total_minutes", "discussion_minutes", "submitted"),
)
"""Fields of the form that are columns of their own."""
FACTS = {
    "service": "service",
    "code_chosen": "code_chosen",
    "facility": "facility",
    "minutes_therapy": "minutes.therapy",
    "minutes_e_visit": "minutes.e_visit",
    "minutes_econsult": "minutes.econsult",
    "reply_hours": "image.reply_business_hours",
    "consent": "consent",
    "video_capable": "video_capable",
    "audio_reason": "audio_reason",
}
"""Fields of the form that stand in ``fields``, by the key they have there."""
STATUS_TONES = {"CLEAN": "good", "FIX": "info", "REVIEW": "warn", "BLOCK": "bad"}
STATUS_WORDS = {
    "CLEAN": "can leave",
    "FIX": "can leave as repaired",
    "REVIEW": "a person decides",
    "BLOCK": "must not leave",
}
WEIGHT_TONES = {"ERROR": "bad", "REVIEW": "warn", "WARN": "warn", "INFO": "info"}


def facts_of_form(values: Mapping[str, str]) -> dict[str, object]:
    """The facts of a request out of the form's fields; what is empty was not told."""
    told: dict[str, object] = {
        name: value for name in COLUMNS if (value := values.get(name, "").strip())
    }
    for name in ("total_minutes", "discussion_minutes"):
        text = str(told.get(name, ""))
        if text.isascii() and text.isdigit() and len(text) <= 4:
            told[name] = int(text)
    items = [
        f"{key}={value}"
        for name, key in FACTS.items()
        if (value := values.get(name, "").strip().replace(" ", ""))
    ]
    more = values.get("more", "").strip().strip(";")
    told["fields"] = ";".join((*items, *((more,) if more else ())))
    return told


def form_of_facts(facts: Mapping[str, object], submitted: str | None) -> dict[str, str]:
    """The form's fields out of kept facts: the reverse of ``facts_of_form``."""
    values = {name: str(facts[name]) for name in COLUMNS if name in facts}
    names = {key: name for name, key in FACTS.items()}
    more = []
    for item in str(facts.get("fields", "")).split(";"):
        key, _, value = item.partition("=")
        if key in names:
            values[names[key]] = value
        elif item:
            more.append(item)
    return values | {"more": ";".join(more), "submitted": submitted or ""}


def form_field(where: str) -> str:
    """The field of the form that a finding is about: what it names, or the further facts."""
    names = {f"fields {key}": name for name, key in FACTS.items()}
    name = names.get(where, where.removeprefix("facts."))
    return "more" if name.startswith("fields") else name
