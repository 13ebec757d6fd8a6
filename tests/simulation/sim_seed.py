"""A seed from its first step to its last check; run as a program, it tells the whole trace.

PYTHONPATH=.:tests:tests/simulation python -m sim_seed 17
"""

import gc
import hashlib
import sys
import tempfile
from pathlib import Path

from sim_checks import check_end
from sim_host import Host
from sim_practice import office_opened
from sim_run import ERAS, Run
from sim_steps import step

STEPS = 400
_LAST = 12


class SeedFailedError(AssertionError):
    """A run whose product did something wrong; tells the seed and the last steps."""

    def __init__(self, seed: int, trace: list[str], what: Exception) -> None:
        told = [f"  {number}: {step}" for number, step in enumerate(trace)]
        lines = (f"seed {seed}, after step {len(trace)}: {what!r}", *told[-_LAST:])
        super().__init__("\n".join(lines))
        self.trace = told


def simulate(seed: int, host: Host, folder: Path, steps: int = STEPS) -> str:
    """Digest of the trace; ``SeedFailedError`` with the seed when anything does not hold."""
    return hashlib.sha256("\n".join(traced(seed, host, folder, steps)).encode()).hexdigest()


def traced(seed: int, host: Host, folder: Path, steps: int = STEPS) -> list[str]:
    """What happened, step by step; ``SeedFailedError`` when anything does not hold."""
    run = Run.begun(seed, host, office_opened(folder, ERAS[seed % len(ERAS)]))
    gc.disable()  # what a run leaves is gone with it: looking for it meanwhile costs a tenth
    try:
        for _ in range(steps):
            step(run)
        check_end(run)
    except Exception as error:
        raise SeedFailedError(seed, run.trace, error) from error
    finally:
        gc.enable()
    return run.trace


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        try:
            steps = traced(int(sys.argv[1]), Host(Path(name)), Path(name))
        except SeedFailedError as failed:
            sys.exit("\n".join([*failed.trace, str(failed)]))
        sys.stdout.writelines(f"{number}: {step}\n" for number, step in enumerate(steps))
