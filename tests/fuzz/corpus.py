#!/usr/bin/env python3
"""Corpora are text, one input per line with C escapes, so that people can read and diff them.

    corpus.py unpack NAME FOLDER   # one file per input, for libFuzzer
    corpus.py keep NAME FOLDER     # replaces what an earlier run has kept by the files of FOLDER
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent / "corpus"
KEPT = "# Kept by tests/fuzz/run --keep: each reaches code that the others do not."
ESCAPES = {0x0D: "\\r", 0x0A: "\\n", 0x09: "\\t", 0x5C: "\\\\"}


def escape(data):
    return "".join(
        ESCAPES.get(c) or (chr(c) if 0x20 <= c < 0x7F and (i or c != 0x23) else f"\\x{c:02x}")
        for i, c in enumerate(data)
    )


def unescape(line):
    codes = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}
    parts = re.split(r"\\(x[0-9a-f]{2}|.)", line)
    out = b""
    for i, part in enumerate(parts):
        if i % 2 == 0:
            out += part.encode("ascii")
        else:
            out += bytes([int(part[1:], 16)]) if part[0] == "x" else codes[part]
    return out


def main(what, name, folder):
    file = HERE / f"{name}.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    folder = pathlib.Path(folder)
    if what == "unpack":
        folder.mkdir(parents=True, exist_ok=True)
        inputs = [unescape(line) for line in lines if line and not line.startswith("#")]
        for i, data in enumerate(inputs):
            (folder / f"{i:04}").write_bytes(data)
    elif what == "keep":
        own = lines[: lines.index(KEPT)] if KEPT in lines else lines
        new = sorted({escape(f.read_bytes()) for f in folder.iterdir()} - set(own) - {""})
        file.write_text("\n".join([*own, KEPT, *new]) + "\n")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
