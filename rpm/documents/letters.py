"""Letters of a document: any text, in the letters that the fonts of every PDF reader have.

Owns the rule for letters outside of them: the nearest letter, or the number that Unicode gives it.
A document embeds no font, so it looks the same everywhere and stays small.
"""

import unicodedata

ENCODING = "windows-1252"
NOTE = (
    "Letters that the fonts of this document lack stand as the nearest letter without its marks, or"
    " as their Unicode number in brackets; the JSON pack has every text as recorded."
)
_NEAREST = str.maketrans(
    {
        "\u0141": "L",
        "\u0142": "l",
        "\u0110": "D",
        "\u0111": "d",
        "\u0126": "H",
        "\u0127": "h",
        "\u0131": "i",
        "\u2212": "-",
        "\u2010": "-",
        "\u2011": "-",
        "\u202f": " ",
        "\u2009": " ",
    }
)


def printable(text: str) -> str:
    """The text in letters of the document's encoding; one line, without control characters."""
    plain = " ".join(text.split())
    if _fits(plain):
        return plain
    return "".join(_letter(letter) for letter in unicodedata.normalize("NFC", plain))


def _letter(letter: str) -> str:
    if _fits(letter):
        return letter
    letter = letter.translate(_NEAREST)
    parts = unicodedata.normalize("NFKD", letter)
    base = "".join(part for part in parts if not unicodedata.combining(part))
    if base and _fits(base):
        return base
    return f"[U+{ord(letter):04X}]"


def _fits(text: str) -> bool:
    try:
        text.encode(ENCODING)
    except UnicodeEncodeError:
        return False
    return all(unicodedata.category(letter) != "Cc" for letter in text)
