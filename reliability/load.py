"""Visitors for some minutes: what they are answered, and what the server comes to hold."""

import argparse
import threading
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np

from reliability.studio import Studio, Visitor

#: Of these the slope is said, by the minute; memory in megabytes.
_MEASURED = ("memory", "descriptors", "threads", "files")
#: A slope of memory above this many megabytes a minute is a leak.
_MOST = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--visitors", type=int, default=32)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--stay", type=float, default=5, help="minutes after which a visitor leaves for a new one (5)")
    parser.add_argument("--pause", type=float, default=1, help="seconds between a visitor's edits (1)")
    parser.add_argument("--door", type=int, default=0, help="so many more come when all places are taken")


def run(args: argparse.Namespace) -> int:
    """Run the command; returns the exit status, 0 if nobody was refused without a reason, nobody saw a foreign
    picture, and nothing grows or stays."""
    studio = Studio("--places", str(args.visitors))
    happened: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    lock, end = threading.Lock(), time.monotonic() + 60 * args.minutes
    samples: list[tuple[float, dict[str, float]]] = []
    turns: list[Turn] = []

    def note(what: str, why: str = "") -> None:
        with lock:
            happened[what] += 1
            if why:
                reasons[why] += 1

    def visit(number: int) -> None:
        round_ = 0
        while time.monotonic() < end:
            round_ += 1
            try:
                visitor = Visitor(studio.address, number + 1000 * round_)
                turn = Turn(number, time.monotonic())
                while time.monotonic() < end:
                    try:
                        turn.asked = time.monotonic()
                        visitor.open()
                        break
                    except Exception as error:
                        if "Come again" not in str(error):
                            raise
                        turn.told = turn.told or time.monotonic()
                        note("told to wait")
                        time.sleep(5)
                else:
                    return
                turn.opened = time.monotonic()
                with lock:
                    turns.append(turn)
                note("let in")
                leaving = min(end, turn.opened + 60 * args.stay)
                step = 0
                while time.monotonic() < leaving:
                    step += 1
                    note("pictures" if visitor.edit(step) else "foreign pictures")
                    time.sleep(args.pause)
                visitor.leave()
                note("left")
            except Exception as error:
                note("refused", (str(error) or type(error).__name__).splitlines()[0][:200])
                time.sleep(5)

    begin = studio.holds()
    threads = [threading.Thread(target=visit, args=(n,), daemon=True) for n in range(args.visitors + args.door)]
    try:
        for thread in threads:
            thread.start()
            time.sleep(0.05)
        while time.monotonic() < end:
            samples.append((time.monotonic(), studio.holds()))
            time.sleep(min(10, 6 * args.minutes))
        for thread in threads:
            thread.join(300)
        time.sleep(5)
        after = studio.holds()
        slopes = {name: _slope(samples, name) for name in _MEASURED}
        tracebacks = studio.tracebacks()
    finally:
        studio.clean()
    print(", ".join(f"{what} {count}" for what, count in sorted(happened.items())))
    for why, count in reasons.most_common(10):
        print(f"refused {count} times: {why}")
    print(", ".join(f"{name} {slope:+.2f} a minute" for name, slope in slopes.items()))
    print(", ".join(f"{name} {begin[name]:.0f} before, {after[name]:.0f} after" for name in _MEASURED))
    print(f"tracebacks {tracebacks}")
    early = out_of_turn(turns)
    longest = max((turn.opened - turn.came for turn in turns), default=0.0)
    print(
        f"{len({turn.number for turn in turns})} of {len(threads)} visitors let in, {early} out of turn, "
        f"after {longest:.0f} s at most"
    )
    wrong = early + happened["foreign pictures"] + happened["refused"] + tracebacks + after["files"]
    leaks = args.minutes >= 10 and slopes["memory"] > _MOST
    return 1 if wrong or leaks or not happened["pictures"] else 0


@dataclass
class Turn:
    """One visitor's way in, in seconds of one clock.

    Attributes:
        number: of the visitor.
        came: when the photo was sent first.
        asked: when it was sent for the last time.
        told: when the visitor was told to wait for the first time, 0 if never.
        opened: when the photo was open.
    """

    number: int
    came: float
    asked: float = 0.0
    told: float = 0.0
    opened: float = 0.0


def out_of_turn(turns: list[Turn]) -> int:
    """How many were in before another one asked again who had been told to wait before they came."""
    return sum(any(0 < other.told < turn.came and turn.opened < other.asked for other in turns) for turn in turns)


def _slope(samples: list[tuple[float, dict[str, float]]], name: str) -> float:
    """By the minute, after the first third, in which caches fill."""
    rest = samples[len(samples) // 3 :]
    if len(rest) < 3:
        return 0.0
    minutes = np.array([at / 60 for at, _ in rest])
    return float(np.polyfit(minutes - minutes[0], [held[name] for _, held in rest], 1)[0])
