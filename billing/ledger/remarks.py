"""Remarks: findings collected in columns while periods are judged.

Owns only the collecting; each is a finding code, the periods it concerns, a word and an amount.
"""

import numpy as np
import pandas as pd

from billing.ledger.kernels import Ints, Mask
from billing.ledger.outcome import words


class Remarks:
    """Findings by period, each (period, code, concerns) once."""

    def __init__(self, periods: int) -> None:
        self._periods = periods
        self._parts: list[tuple[str, str, Ints, Ints]] = []

    def add(self, code: str, where: Mask, concerns: str = "", amount: Ints | None = None) -> None:
        """Note a finding on the periods of a mask, with the days, seconds or units it speaks of."""
        rows = np.flatnonzero(where)
        if rows.size:
            amounts = np.zeros(rows.size, dtype=np.int64) if amount is None else amount[rows]
            self._parts.append((code, concerns, rows, amounts))

    def frame(self, episode: Ints, patient: Ints) -> pd.DataFrame:
        """All findings, sorted by period and code; ``episode`` and ``patient`` are by period."""
        codes = sorted({part[0] for part in self._parts})
        concerned = sorted({part[1] for part in self._parts})
        sizes = [part[2].size for part in self._parts]
        rows = np.concatenate([part[2] for part in self._parts] or [np.zeros(0, dtype=np.int64)])
        amount = np.concatenate([part[3] for part in self._parts] or [np.zeros(0, dtype=np.int64)])
        code = np.repeat([codes.index(part[0]) for part in self._parts], sizes).astype(np.int16)
        word = np.repeat([concerned.index(part[1]) for part in self._parts], sizes).astype(np.int16)
        key = (rows.astype(np.int64) * len(codes) + code) * max(len(concerned), 1) + word
        _, first = np.unique(key, return_index=True)
        rows, code, word, amount = rows[first], code[first], word[first], amount[first]
        return pd.DataFrame(
            {
                "period": rows,
                "episode": episode[rows],
                "patient": patient[rows],
                "code": words(code, codes),
                "concerns": words(word, concerned),
                "amount": amount,
            }
        )
