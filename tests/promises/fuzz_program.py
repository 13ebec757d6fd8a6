"""A program that reads mutated bytes with some of the ``parsers`` until it finds an error.

    python -m fuzz_program SECONDS SEED FOLDER PARSER...

Guided by coverage of the product's own code (atheris). The first byte of an input chooses among the
parsers. It ends with 0 after the time, and with the traceback and another status at an uncaught
error, an input that takes ten seconds, or one that takes 2 GB.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["billing", "devices", "rpm"]):
    import parsers

_LONGEST_BYTES, _SLOWEST_SECONDS, _MOST_MEGABYTES = 100_000, 10, 2_048


def main(seconds: str, seed: str, folder: str, *names: str) -> None:
    """Fuzz these parsers."""
    chosen = [parsers.PARSERS[name] for name in names]
    corpus, words = Path(folder) / "corpus", Path(folder) / "words"
    corpus.mkdir()
    for number, parser in enumerate(chosen):
        for place, sample in enumerate(parser.seeds()):
            (corpus / f"{number}-{place}").write_bytes(bytes([number]) + sample)
    texts = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in parsers.WORDS)
    words.write_text("".join(f'"{text}"\n' for text in texts))

    def read(data: bytes) -> None:
        if data:
            chosen[data[0] % len(chosen)].read(data[1:])

    options = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-max_len={_LONGEST_BYTES}",
        f"-timeout={_SLOWEST_SECONDS}",
        f"-rss_limit_mb={_MOST_MEGABYTES}",
        f"-dict={words}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
