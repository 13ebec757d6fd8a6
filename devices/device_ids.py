"""Device ids: under which other texts a sender may name the same cellular device.

Owns the arithmetic of IMEI numbers. Does not own which devices are registered.

An IMEI is 14 digits that name the device and a check digit (3GPP TS 23.003 section 6.2.1). Senders
write it whole, without leading zeros (a number), or without the check digit; BodyTrace does both.
"""

_CORE_DIGITS = 14
_FEWEST_DIGITS = 12
"""Ids with more leading zeros than this leaves are too short to be told from serial numbers."""


def same_device_ids(text: str) -> frozenset[str]:
    """Every text that may name the device which this text names; the text itself among them.

    Only numbers that can be an IMEI have others. Fifteen digits with a wrong check digit are no
    IMEI: two serial numbers that differ in the last digit are two devices. A shorter number is
    read both ways, as one without check digit and as one that lost leading zeros only.
    """
    if not (text.isascii() and text.isdigit()):
        return frozenset({text})
    return frozenset({text}).union(*(_spellings(core) for core in _cores(text)))


def imei(text: str) -> str | None:
    """The IMEI, 15 digits, where the text can be one and only one; else None."""
    found = (
        {core + check_digit(core) for core in _cores(text)}
        if text.isascii() and text.isdigit()
        else set()
    )
    return found.pop() if len(found) == 1 else None


def check_digit(core: str) -> str:
    """The check digit of the 14 digits of an IMEI (Luhn)."""
    total = 0
    for position, digit in enumerate(core):
        doubled = int(digit) * (1 + position % 2)
        total += doubled // 10 + doubled % 10
    return str(-total % 10)


def _cores(text: str) -> list[str]:
    """The 14-digit cores this number may stand for."""
    if not _FEWEST_DIGITS <= len(text) <= _CORE_DIGITS + 1:
        return []
    whole = text.zfill(_CORE_DIGITS + 1)
    core, check = whole[:_CORE_DIGITS], whole[_CORE_DIGITS]
    with_check = [core] if check_digit(core) == check else []
    without_check = [text.zfill(_CORE_DIGITS)] if len(text) <= _CORE_DIGITS else []
    return with_check + without_check


def _spellings(core: str) -> set[str]:
    whole = core + check_digit(core)
    return {core, whole, core.lstrip("0"), whole.lstrip("0")}
