"""The checker of packs as one file that needs only Python.

Owns how its modules are packed. Does not own the check: ``billing.evidence`` stands in the file as
it is here, uncompressed, so that it can be read with any editor.
"""

import io
import zipfile
from importlib import resources

CHECKER = "rpm-ledger-evidence.pyz"
"""The name that the file is given in a folder."""
_MAIN = "import sys\n\nfrom billing.evidence.program import run\n\nsys.exit(run())\n"
_SHEBANG = b"#!/usr/bin/env python3\n"
_WHEN = (2020, 1, 1, 0, 0, 0)  # the same modules give the same bytes


def checker_file() -> bytes:
    """The file: ``python rpm-ledger-evidence.pyz PACK.json...``"""
    package = resources.files("billing")
    modules = {"__main__.py": _MAIN, "billing/__init__.py": _text(package / "__init__.py")}
    for module in sorted((package / "evidence").iterdir(), key=lambda one: one.name):
        if module.name.endswith(".py"):
            modules[f"billing/evidence/{module.name}"] = _text(module)
    out = io.BytesIO(_SHEBANG)
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_STORED) as archive:
        for name, content in modules.items():
            archive.writestr(zipfile.ZipInfo(name, _WHEN), content)
    return out.getvalue()


def _text(module: resources.abc.Traversable) -> str:
    return module.read_text("utf-8")
