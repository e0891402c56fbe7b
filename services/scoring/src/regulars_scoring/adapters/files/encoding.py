"""Text files of any encoding, as DuckDB reads them: in UTF-8, with lines that all end alike."""

from __future__ import annotations

import codecs
import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from regulars_scoring.adapters.files.refusals import WrongUse

BLOCK = 1 << 20
UTF_8 = "utf-8"
WINDOWS = "cp1252"
"""What spreadsheets write in Western Europe where they do not write UTF-8."""

_WIDE = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SUGGESTED = "utf-8, cp1252, utf-16, iso-8859-15, cp1250 or cp850"


@dataclass(frozen=True, slots=True)
class Look:
    """What a look through a whole file found. `is_mixed`: some lines end with CR and LF, and some with LF alone."""

    is_utf_8: bool
    is_mixed: bool


def encoding_of(path: Path, seen: Look) -> str:
    """UTF-16 by its mark, UTF-8 where the whole file is that, else Windows-1252."""
    with opened(path) as file:
        mark = file.read(2)
    return _WIDE.get(mark) or (UTF_8 if seen.is_utf_8 else WINDOWS)


def look_through(path: Path) -> Look:
    decoder, is_utf_8 = codecs.getincrementaldecoder(UTF_8)(), True
    ends, long_ends, last = 0, 0, b""
    with opened(path) as file:
        while block := file.read(BLOCK):
            ends += block.count(b"\n")
            long_ends += block.count(b"\r\n") + (last == b"\r" and block.startswith(b"\n"))
            last = block[-1:]
            is_utf_8 = is_utf_8 and _decodes(decoder, block)
    return Look(is_utf_8 and _decodes(decoder, b"", final=True), 0 < long_ends < ends)


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def in_utf_8(path: Path, encoding: str, seen: Look, folder: Path) -> Path:
    """The file itself where DuckDB can read it, or a copy in the folder that it can. Raises `WrongUse`.

    Bytes that the encoding does not know become U+FFFD: a name with a hole in it is no reason to lose a purchase.
    """
    try:
        name = codecs.lookup(encoding).name
        "".encode(encoding)
    except LookupError:
        raise WrongUse(f"no encoding of text is called {encoding}; try {_SUGGESTED}") from None
    if name == UTF_8 and seen.is_utf_8 and not seen.is_mixed:
        return path
    copy = folder / "purchases.csv"
    with (
        io.TextIOWrapper(opened(path), encoding=encoding, errors="replace") as source,
        copy.open("w", encoding=UTF_8, newline="\n") as target,
    ):
        while block := source.read(BLOCK):
            target.write(block)
    return copy


def opened(path: Path) -> BinaryIO:
    """The file's bytes, unpacked where its name ends in .gz."""
    return cast("BinaryIO", gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")
