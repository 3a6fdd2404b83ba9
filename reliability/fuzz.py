"""Damaged files at a door: each is taken, or refused in one line, soon and without much memory."""

import argparse
import io
import random
import resource
import signal
import sys
import time
import traceback
import warnings
import zipfile
import zlib
from pathlib import Path

from pise_core.errors import InputError
from reliability.doors import DOORS

#: Seconds that one input may take, and bytes of memory that all of them may take on top of what the libraries need.
SECONDS, MEMORY = 10, 1_000_000_000
_PNG = b"\x89PNG\r\n\x1a\n"
_TEXTS = (
    b"9" * 40,
    b"-1",
    b"0",
    b"NaN",
    b"1e400",
    b"null",
    b"[" * 3000,
    b"{}",
    b'"',
    b"\x00",
    b"\xff" * 8,
    b"..",
    b"%s",
)


class TooSlow(BaseException):
    """An input took longer than it may."""


def mutated(corpus: list[bytes], seed: str) -> bytes:
    """A damaged file; the same for the same seed."""
    dice = random.Random(seed)
    data = bytearray(dice.choice(corpus))
    for _ in range(dice.choice((1, 1, 1, 2, 4, 16))):
        if not data:
            break
        at = dice.randrange(len(data))
        kind = dice.randrange(8)
        if kind == 0:
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            data[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            del data[at : at + dice.randrange(1, 64)]
        elif kind == 4:
            other = dice.choice(corpus)
            start = dice.randrange(len(other))
            data[at:at] = other[start : start + dice.randrange(1, 256)]
        elif kind == 5:
            data[at : at + dice.randrange(12)] = dice.choice(_TEXTS)
        elif kind == 6:
            length = dice.choice((2, 4, 8))
            data[at : at + length] = dice.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1, dice.getrandbits(32))).to_bytes(
                8, dice.choice(("big", "little"))
            )[-length:]
        else:
            data[at:at] = dice.randbytes(dice.randrange(1, 32))
    return _repaired(bytes(data), corpus, dice)


def _repaired(data: bytes, corpus: list[bytes], dice: random.Random) -> bytes:
    """In half of all cases, the damage with checksums that are right, so that it gets past them."""
    if dice.random() < 0.5:
        return data
    if data.startswith(_PNG):
        return _with_checksums(data)
    whole = dice.choice(corpus)
    if whole.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(whole)):
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        name = dice.choice(sorted(members))
        members[name] = mutated([members[name]], str(dice.random()))
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            for each, content in members.items():
                archive.writestr(each, content)
        return made.getvalue()
    return data


def _with_checksums(data: bytes) -> bytes:
    """A PNG whose chunks have the checksums of what is in them."""
    made, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        body = data[at + 4 : at + 8 + length]
        if len(body) < 4 or at + 12 + length > len(data):
            break
        made += data[at : at + 4] + body + zlib.crc32(body).to_bytes(4, "big")
        at += 12 + length
    return bytes(made + data[at:])


def trial(door: str, data: bytes) -> str | None:
    """What went wrong with an input, None if it was taken or refused in one line."""
    try:
        DOORS[door].take(data)
    except InputError as error:
        return None if "\n" not in str(error) else f"more than one line: {error}"
    except TooSlow:
        return f"more than {SECONDS} seconds"
    except BaseException:
        return traceback.format_exc()
    return None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--door", choices=sorted(DOORS), action="append", help="only this one; may be repeated")
    parser.add_argument("--count", type=int, default=1000, help="inputs for each door (1000)")
    parser.add_argument("--seed", default="0", help="another one makes other inputs")
    parser.add_argument("--keep", type=Path, help="a folder for inputs at which something went wrong")


def run(args: argparse.Namespace) -> int:
    """Run the command; returns the exit status, 0 if nothing went wrong."""
    warnings.simplefilter("ignore")

    def too_slow(number: int, frame: object) -> None:
        raise TooSlow

    # What is said is not to depend on what else the machine does: processor time counts, and the clock only where an
    # input waits for ever.
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, too_slow)
    failed = 0
    for door in args.door or sorted(DOORS):
        corpus = DOORS[door].corpus()
        wrong: list[tuple[bytes, str]] = []
        before, began = _peak(), time.monotonic()
        for number in range(args.count):
            data = mutated(corpus, f"{args.seed}-{door}-{number}")
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            signal.setitimer(signal.ITIMER_REAL, 10 * SECONDS)
            found = trial(door, data)
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.setitimer(signal.ITIMER_PROF, 0)
            if found:
                wrong.append((data, f"input {number}: {found}"))
        grown = _peak() - before
        if grown > MEMORY:
            wrong.append((b"", f"{grown / 1e6:.0f} MB of memory"))
        for number, (data, text) in enumerate(wrong):
            print(f"{door}: {text}", file=sys.stderr)
            if args.keep:
                args.keep.mkdir(parents=True, exist_ok=True)
                (args.keep / f"{door}-{number}").write_bytes(data)
        seconds = time.monotonic() - began
        print(f"{door}: {args.count} inputs, {len(wrong)} wrong, {grown / 1e6:.0f} MB, {seconds:.0f} s", flush=True)
        failed += len(wrong)
    return 1 if failed else 0


def _peak() -> int:
    """The most memory that this process has held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
