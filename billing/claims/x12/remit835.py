"""An 835 into remittances: oxedi behind an adapter, so that another reader could take its place.

Owns which column gives which value, which claims are whole, and the keys by which a repeat is
known. Does not own oxedi's tables (``oxedi_tables``), the words of findings (``remit_findings``)
nor what is done with a remittance. A payer's mistake is a finding, and what is sound is given all
the same; only content that is no X12 at all is refused.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from billing.claims.remittance import (
    PATIENT_RESPONSIBILITY,
    REVERSAL,
    Adjusted,
    ClaimPaid,
    LinePaid,
    ProviderAdjustment,
    Remittance,
)
from billing.claims.x12 import remit_findings
from billing.claims.x12.oxedi_tables import MODIFIER_COLUMNS, REMARK_COLUMNS, Columns, spec
from billing.claims.x12.segments import NotX12Error
from billing.finding import Finding

_TAX_SYSTEM_OF_NPI = "XX"
_REMARK_LIST = "HE"
_END_OF_CLAIM = (b"LX", b"TS2", b"TS3", b"PLB", b"SE", b"GE", b"IEA", b"ST", b"ISA")


class RemittanceFile(NamedTuple):
    """What an 835 file holds; ``findings`` are those about no single remittance."""

    remittances: tuple[Remittance, ...]
    findings: tuple[Finding, ...]


class _Details(NamedTuple):
    """What belongs to claims and to lines, by the row of either."""

    claim_adjustments: dict[int, list[Adjusted]]
    line_adjustments: dict[int, list[Adjusted]]
    lines: dict[int, list[LinePaid]]


def read_835(content: bytes) -> RemittanceFile:
    """Every remittance of a file. ``NotX12Error`` for content that is no X12.

    Raises nothing else: what is wrong stands in the findings.
    """
    import oxedi

    version = "4010" if b"004010X091" in content[:400] else "5010"
    try:
        result = oxedi.parse(content, spec=spec(version))
    except oxedi.ParseError:
        raise NotX12Error("its interchange header cannot be read") from None
    tables = {name: Columns(result.tables[name]) for name in result.tables.keys()}  # noqa: SIM118 - no mapping
    payments, claims = tables["payments"], tables["claims"]
    texts = _Texts(content, result.document, payments, claims)
    found = remit_findings.by_set(result.diagnostics, payments.values("segment"))
    paid = _claims_by_payment(claims, _details(tables), texts)
    adjusted = _provider_adjustments(tables["provider_adjustments"])
    return RemittanceFile(
        tuple(_remittances(payments, texts, paid, adjusted, found)), tuple(found.pop(-1, ()))
    )


def _remittances(
    table: Columns,
    texts: "_Texts",
    paid: dict[int, list[ClaimPaid]],
    adjusted: dict[int, list[ProviderAdjustment]],
    found: dict[int, list[Finding]],
) -> Iterable[Remittance]:
    columns = zip(
        *(table.texts(name) for name in ("payer_name", "payer_identifier", "payee_id")),
        table.texts("payee_id_qualifier"),
        *(table.texts(name) for name in ("trace_number", "payment_method")),
        table.values("payment_date"),
        table.cents("total_payment_amount"),
        strict=True,
    )
    for row, (payer, payer_id, payee, qualifier, trace, method, day, cents) in enumerate(columns):
        told = Remittance(
            ordinal=row + 1,
            key=texts.payment_key(row),
            payer_name=payer,
            payer_id=payer_id,
            payee_npi=payee if qualifier == _TAX_SYSTEM_OF_NPI else "",
            trace_number=trace,
            payment_day=day,
            method=method,
            paid_cents=cents,
            claims=tuple(paid.get(row, ())),
            provider_adjustments=tuple(adjusted.get(row, ())),
            is_whole=texts.is_whole(row),
            findings=(),
        )
        findings = remit_findings.of_remittance(told, found.get(row, ()))
        yield told._replace(findings=tuple(findings))


def _claims_by_payment(
    table: Columns, details: _Details, texts: "_Texts"
) -> dict[int, list[ClaimPaid]]:
    columns = zip(
        table.values("payment"),
        *(table.texts(name) for name in ("claim_id", "claim_status", "payer_control_number")),
        *(table.texts(name) for name in ("filing_indicator", "frequency_code")),
        *(table.texts(name) for name in ("patient_last_name", "patient_first_name", "patient_id")),
        table.values("statement_from"),
        *(table.cents(name) for name in ("charge_amount", "payment_amount")),
        table.cents("patient_responsibility"),
        zip(*(table.texts(name) for name in REMARK_COLUMNS), strict=True),
        strict=True,
    )
    found: dict[int, list[ClaimPaid]] = defaultdict(list)
    for row, values in enumerate(columns):
        payment, control, status, number, filing, frequency, *rest = values
        last, first, patient_id, day, charge, paid, share, remarks = rest
        adjustments = tuple(details.claim_adjustments.get(row, ()))
        lines = tuple(details.lines.get(row, ()))
        claim = ClaimPaid(
            ordinal=len(found[payment]) + 1,
            key=texts.claim_key(row, payment),
            sound=texts.is_closed(row) and charge is not None and paid is not None,
            control_number=control,
            status=status,
            charge_cents=charge,
            paid_cents=paid,
            patient_cents=_patients_share(status, share, adjustments, lines),
            payer_claim_number=number,
            filing_code=filing,
            frequency=frequency,
            patient_last=last,
            patient_first=first,
            patient_id=patient_id,
            from_day=day or next((line.from_day for line in lines if line.from_day), None),
            adjustments=adjustments,
            remarks=tuple(filter(None, remarks)),
            lines=lines,
        )
        found[payment].append(claim)
    return found


def _patients_share(
    status: str, told: int | None, adjustments: Sequence[Adjusted], lines: Sequence[LinePaid]
) -> int:
    """What the patient owes by this answer: CLP05; of a reversal, what it takes back of that."""
    if told is not None and status != REVERSAL:
        return told
    every = [*adjustments, *(one for line in lines for one in line.adjustments)]
    return sum(one.cents or 0 for one in every if one.group == PATIENT_RESPONSIBILITY)


def _details(tables: dict[str, Columns]) -> _Details:
    of_claims: dict[int, list[Adjusted]] = defaultdict(list)
    of_lines: dict[int, list[Adjusted]] = defaultdict(list)
    table = tables["adjustments"]
    for claim, line, group, reason, cents in zip(
        table.values("claim"),
        table.values("service"),
        table.texts("group_code"),
        table.texts("reason_code"),
        table.cents("amount"),
        strict=True,
    ):
        one = Adjusted(group, reason, cents)
        if line is None:
            of_claims[claim].append(one)
        else:
            of_lines[line].append(one)
    remarks: dict[int, list[str]] = defaultdict(list)
    table = tables["remarks"]
    for line, kind, code in zip(
        table.values("service"), table.texts("qualifier"), table.texts("code"), strict=True
    ):
        if line is not None and kind == _REMARK_LIST:
            remarks[line].append(code)
    return _Details(of_claims, of_lines, _lines(tables["services"], of_lines, remarks))


def _lines(
    table: Columns, adjustments: dict[int, list[Adjusted]], remarks: dict[int, list[str]]
) -> dict[int, list[LinePaid]]:
    found: dict[int, list[LinePaid]] = defaultdict(list)
    columns = zip(
        table.values("claim"),
        table.texts("procedure_code"),
        zip(*(table.texts(name) for name in MODIFIER_COLUMNS), strict=True),
        *(table.cents(name) for name in ("charge_amount", "payment_amount", "allowed_amount")),
        table.values("units_paid"),
        *(table.values(name) for name in ("service_date", "days_from", "days_to")),
        table.texts("line_item_control_number"),
        strict=True,
    )
    for row, values in enumerate(columns):
        claim, code, modifiers, charge, paid, allowed, units, day, first, last, number = values
        line = LinePaid(
            procedure=code,
            modifiers=tuple(filter(None, modifiers)),
            charge_cents=charge,
            paid_cents=paid,
            units="" if units is None else f"{units.normalize():f}",
            from_day=day or first,
            to_day=day or last,
            control_number=number,
            allowed_cents=allowed,
            adjustments=tuple(adjustments.get(row, ())),
            remarks=tuple(remarks.get(row, ())),
        )
        found[claim].append(line)
    return found


def _provider_adjustments(table: Columns) -> dict[int, list[ProviderAdjustment]]:
    found: dict[int, list[ProviderAdjustment]] = defaultdict(list)
    for payment, *told in zip(
        table.values("payment"),
        *(table.texts(name) for name in ("provider_id", "reason_code", "reference_id")),
        table.cents("amount"),
        strict=True,
    ):
        found[payment].append(ProviderAdjustment(*told))
    return found


class _Texts:
    """The bytes of each set and claim: what is whole, and what is the same as told before."""

    def __init__(self, content: bytes, document: Any, payments: Columns, claims: Columns) -> None:
        separators = document.delimiters
        self._content = content
        self._terminator = separators.segment
        self._head = re.compile(
            re.escape(separators.segment) + rb"\s*(?:LX|CLP)" + re.escape(separators.element)
        )
        names = rb"|".join(_END_OF_CLAIM)
        self._end = re.compile(
            re.escape(separators.segment)
            + rb"\s*("
            + names
            + rb")(?:"
            + re.escape(separators.element)
            + rb"|$)"
        )
        self._sets = self._starts(document, payments)
        self._claims = self._starts(document, claims)
        self._keys = [self._key_of_set(row) for row in range(payments.count)]
        self._seen: Counter[tuple[int, bytes]] = Counter()

    def _starts(self, document: Any, table: Columns) -> list[int]:
        starts = [document[segment].span[0] for segment in table.values("segment")]
        return [*starts, len(self._content)]

    def _set(self, row: int) -> bytes:
        return self._content[self._sets[row] : self._sets[row + 1]]

    def _key_of_set(self, row: int) -> bytes:
        whole = self._set(row)
        head = self._head.split(whole, maxsplit=1)[0].split(self._terminator)
        told = [one.strip() for one in head]
        payment = [one for one in told if one.startswith((b"BPR", b"TRN"))]
        # without a trace number nothing but the whole text tells one payment from another
        traced = any(one.startswith(b"TRN") for one in payment)
        return _digest(*payment) if traced else _digest(whole)

    def payment_key(self, row: int) -> str:
        """The same for every telling of a payment: amounts, day, trace and both ends."""
        return self._keys[row].hex()

    def is_whole(self, row: int) -> bool:
        """Whether the trailer of a set was seen."""
        return any(match[1] == b"SE" for match in self._end.finditer(self._set(row)))

    def is_closed(self, row: int) -> bool:
        """Whether anything follows a claim: else the file may have been cut off inside it."""
        if row + 2 < len(self._claims):
            return True
        return self._end.search(self._content, self._claims[row]) is not None

    def claim_key(self, row: int, payment: int) -> str:
        """The same for the same claim of the same payment; a true repeat inside it is counted."""
        start, rest = self._claims[row], self._claims[row + 1]
        end = self._end.search(self._content, start, rest)
        told = self._content[start : end.start() if end else rest].translate(None, b"\r\n ")
        key = _digest(self._keys[payment], told)
        self._seen[payment, key] += 1
        return _digest(key, str(self._seen[payment, key]).encode()).hex()


def _digest(*parts: bytes) -> bytes:
    return hashlib.sha256(b"\0".join(parts)).digest()
