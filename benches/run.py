#!/usr/bin/env python3
"""Measures Strandline beside the speed floor and its peers, all in one run, as ratios.

    run.py [--scenario corpus|matched|twice|seen|big]... [--jobs 1,2] [--rounds 3] [--without python,rg]
           [--strandline PROGRAM] [--floor PROGRAM] [--packages DIR] [--work DIR] [--big-size 2G]
           [--record TITLE]

Seconds measure the machine; a ratio to the floor of the same run measures the program. So the
programs take turns, each round begins with another one, and the ratio printed is the median
of the rounds' own ratios. CPU-seconds (user and system, children included) are the figure to trust
on a shared machine; wall time only from quiet moments, and the load before the run is printed.

Scenarios, made below DIR of --work (default `target/bench`) out of the pinned packages:

    corpus   the 40 packages of the floor set
    matched  the same, held against a signed work and a baseline too (two pinned packages more)
    twice    the same 40 and a copy of each: all of the second half has been seen before
    seen     one plain tar of the files of some packages, and one in which each stands nine times: what
             eight more copies cost, with and without the sets of `matched`
    big      one tarball of --big-size bytes, gzip-compressed (see fixtures/big_tarball.py)

Programs:

    strandline   `scan FOLDER --jobs N --quiet`; exit status 0, 1 and 3 are all right
    floor        benches/floor.rs: libdeflate, SHA-256 and 20 rules; for `big` its streaming half,
                 which is one thread for one file whatever --jobs says
    rg           `rg -z -a -c` with the same 20 rules: no entry names, no hashes
    python       tarfile and SHA-256, no rules; one process, so it stands beside `--jobs 1` only

What is not installed or not built is left out, and said so. Peak memory is the largest resident
set of any one process; it cannot fall below this runner's own, some 15 MiB, which a child counts
from the moment before it starts its program. Files are read once beforehand: the page cache is
warm. --record appends the tables to benches/RESULTS.md. Linux, Python's standard library only.
"""

import argparse
import dataclasses
import datetime
import io
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "fixtures"))
import fetch  # noqa: E402  (found by the line above)

SCENARIOS = ("corpus", "matched", "twice", "seen", "big")
SIGNED = "effect"
"""The package that is signed for `matched`: none of the forty has anything of it."""
SUBTRACTED = "typescript"
SEEN = ("antd", "three", "mermaid")
"""Packages of which `seen` is made."""
SEEN_COPIES = 8
MIB = 1 << 20
PYTHON_PEER = """
import hashlib, sys, tarfile
files = size = 0
for path in sys.argv[1:]:
    with tarfile.open(path, "r|*") as tar:
        for member in tar:
            if member.isreg():
                content = tar.extractfile(member).read()
                hashlib.sha256(content).digest()
                files += 1
                size += len(content)
print(f"files={files} bytes={size}")
"""


@dataclasses.dataclass
class Program:
    """One contestant of one scenario."""

    name: str
    command: list
    accepted: tuple = (0,)
    """Exit statuses that mean that it did its work."""


@dataclasses.dataclass
class Measure:
    """What one run of a program cost."""

    cpu: float
    wall: float
    peak_mib: float
    output: str


@dataclasses.dataclass
class Scenario:
    """Inputs laid out on disk."""

    name: str
    title: str
    folder: Path
    files: list
    streaming: bool = False
    sets: tuple = ()
    """Arguments of the scan that give the sets."""
    expected: tuple = ()
    """What floor and python must print, where that is known."""


class Failure(Exception):
    """Something that the user can put right."""


def measure(program):
    """Runs a program to its end and returns what it cost."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.monotonic()
        child = subprocess.Popen(
            program.command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in program.accepted:
            errors.seek(0)
            said = errors.read()[-2000:].decode(errors="replace").strip()
            raise Failure(f"{program.name} ended with status {child.returncode}: {said}")
        output.seek(0)
        return Measure(
            cpu=usage.ru_utime + usage.ru_stime,
            wall=wall,
            peak_mib=usage.ru_maxrss * 1024 / MIB,
            output=output.read(4096).decode(errors="replace"),
        )


def link_or_copy(source, target):
    """Makes `target` hold what `source` holds, without using space where that can be."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def fresh_folder(folder):
    """An empty folder called `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def lay_out(name, options):
    """Makes the inputs of the scenario `name`."""
    packages = fetch.pinned("all" if name == "big" else "floor")
    wrong = [p.file_name for p in packages
             if fetch.state(p, options.packages / p.file_name) != "right"]
    if wrong:
        raise Failure(f"{options.packages} lacks {', '.join(wrong[:3])}{' …' * (len(wrong) > 3)}: "
                      "run fixtures/fetch.py")
    if name == "big":
        return lay_out_big(options)

    folder = fresh_folder(options.work / name)
    sets = sign(options) if name == "matched" else ()
    for package in packages:
        source = options.packages / package.file_name
        if name != "twice":
            link_or_copy(source, folder / package.file_name)
        else:
            # True copies: two names of one inode would be read once.
            for half in ("first", "second"):
                (folder / half).mkdir(exist_ok=True)
                shutil.copyfile(source, folder / half / package.file_name)
    times = 2 if name == "twice" else 1
    count, packed, unpacked = (
        times * sum(getattr(package, key) for package in packages)
        for key in ("files", "bytes", "file_bytes")
    )
    return Scenario(
        name=name,
        title=f"{times * len(packages)} packages, {packed:,} bytes, {count:,} files of "
              f"{unpacked:,} bytes",
        folder=folder,
        files=sorted(str(path) for path in folder.rglob("*.tgz")),
        sets=sets,
        expected=(f"files={count}", f"bytes={unpacked}"),
    )


def package_path(name, options):
    """The file of the pinned package `name`."""
    for package in fetch.pinned("all"):
        path = options.packages / package.file_name
        if package.name == name and fetch.state(package, path) == "right":
            return path
    raise Failure(f"{options.packages} lacks {name}: run fixtures/fetch.py --set all")


def sign(options):
    """Signs a work and a baseline; returns the arguments that give both to a scan."""
    if not options.strandline:
        raise Failure("`matched` and `seen` need strandline")
    folder = fresh_folder(options.work / "sets")
    given = ()
    for flag, name in (("--signatures", SIGNED), ("--baseline", SUBTRACTED)):
        output = folder / f"{name}.sigset"
        command = [options.strandline, "sign", package_path(name, options), "--work", name,
                   "--release", "1", "--output", output]
        if flag == "--baseline":
            command.append(flag)
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if done.returncode not in (0, 3):
            raise Failure(f"strandline sign: {done.stderr.strip()[-2000:]}")
        given += (flag, output)
    return given


def seen(options):
    """What content costs that was seen before in the same input: the table, and how it was taken."""
    sets = sign(options)
    folder = fresh_folder(options.work / "seen")
    once, often = folder / "once.tar", folder / "often.tar"
    count = size = 0
    with tarfile.open(once, "w") as first, tarfile.open(often, "w") as second:
        for name in SEEN:
            with tarfile.open(package_path(name, options)) as package:
                for member in package:
                    # What maps hold is recorded at every place: they are walked each time.
                    if not member.isreg() or member.name.endswith(".map"):
                        continue
                    content = package.extractfile(member).read()
                    count, size = count + 1, size + len(content)
                    for tar, copies in ((first, 1), (second, 1 + SEEN_COPIES)):
                        for copy in range(copies):
                            entry = tarfile.TarInfo(f"{copy}/{name}/{member.name}")
                            entry.size = len(content)
                            tar.addfile(entry, io.BytesIO(content))
    lines = [
        f"**seen: {count:,} files of {size:,} bytes ({', '.join(SEEN)}) in a plain tar, and nine "
        "times each in another; --jobs 1**",
        "",
        "| scan | CPU-s, once | CPU-s, nine times | MB/s of what was seen before |",
        "| --- | ---: | ---: | ---: |",
    ]
    warm([once, often])
    for title, given in (("without sets", ()), ("with a work and a baseline", sets)):
        costs = []
        for turn in range(options.rounds):
            pair = [measure(Program("strandline", [options.strandline, "scan", tar, *given, "--jobs",
                                                   "1", "--quiet"], accepted=(0, 1, 3))).cpu
                    for tar in (once, often)]
            print(f"  round {turn + 1}: {title}: {pair[0]:.2f} {pair[1]:.2f}", file=sys.stderr)
            costs.append(pair)
        rate = statistics.median(SEEN_COPIES * size / 1e6 / (b - a) for a, b in costs)
        first, second = (statistics.median(cost) for cost in zip(*costs))
        lines.append(f"| {title} | {first:.2f} | {second:.2f} | {rate:.0f} |")
    return "\n".join(lines)


def lay_out_big(options):
    """Makes the one large tarball, or takes the one that an earlier run made of the same size."""
    folder = options.work / f"big-{options.big_size}"
    tarball = folder / "big.tar.gz"
    if not tarball.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"making {tarball}: some minutes", file=sys.stderr)
        made = subprocess.run([
            sys.executable, ROOT / "fixtures" / "big_tarball.py", "--distinct",
            "--size", options.big_size, "--dir", options.packages, tarball,
        ], stdout=subprocess.DEVNULL)
        if made.returncode:
            raise Failure("fixtures/big_tarball.py did not make the large tarball")
    return Scenario(
        name="big",
        title=f"one tarball, {tarball.stat().st_size:,} bytes, tar of {options.big_size}",
        folder=folder,
        files=[str(tarball)],
        streaming=True,
    )


def contestants(scenario, jobs, options):
    """The programs that can run here, the floor first."""
    streaming = ["--streaming"] if scenario.streaming else []
    programs = [Program("floor", [options.floor, "--jobs", str(jobs), *streaming, *scenario.files])]
    if options.strandline:
        programs.append(Program(
            "strandline",
            [options.strandline, "scan", scenario.folder, "--jobs", str(jobs), "--quiet"],
            accepted=(0, 1, 3),
        ))
        if scenario.sets:
            programs.append(Program(
                "with sets", [*programs[-1].command, *scenario.sets], accepted=(0, 1, 3)))
    if options.rg:
        programs.append(Program(
            "rg",
            [options.rg, "--no-config", "-z", "-a", "-c", "-j", str(jobs), "-f", options.rules,
             *scenario.files],
            accepted=(0, 1),
        ))
    if options.python and jobs == 1:
        programs.append(Program("python", [sys.executable, "-c", PYTHON_PEER, *scenario.files]))
    return programs


def warm(files):
    """Reads every file once, so that nobody pays for the disk."""
    buffer = bytearray(MIB)
    for path in files:
        with open(path, "rb", buffering=0) as file:
            while file.readinto(buffer):
                pass


def compete(scenario, programs, rounds):
    """Runs all programs `rounds` times in turn; returns {name: [Measure]}."""
    measures = {program.name: [] for program in programs}
    warm(scenario.files)
    for turn in range(rounds):
        first = turn % len(programs)
        for program in programs[first:] + programs[:first]:
            got = measure(program)
            measures[program.name].append(got)
            print(f"  round {turn + 1}: {program.name:<10} {got.cpu:7.2f} CPU-s {got.wall:7.2f} s "
                  f"{got.peak_mib:6.0f} MiB", file=sys.stderr)
    for name in ("floor", "python"):
        for got in measures.get(name, []):
            if not set(scenario.expected) <= set(got.output.split()):
                raise Failure(f"{name} counted {got.output.strip()!r}, not {scenario.expected}")
    return measures


def table(measures):
    """The Markdown table of one scenario."""
    floor = measures["floor"]
    lines = [
        "| program | CPU-s | wall s | peak MiB | CPU ÷ floor | wall ÷ floor |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, got in measures.items():
        cpu = statistics.median(m.cpu for m in got)
        wall = statistics.median(m.wall for m in got)
        peak = max(m.peak_mib for m in got)
        cpu_ratio = statistics.median(m.cpu / f.cpu for m, f in zip(got, floor))
        wall_ratio = statistics.median(m.wall / f.wall for m, f in zip(got, floor))
        lines.append(f"| {name} | {cpu:.2f} | {wall:.2f} | {peak:.0f} "
                     f"| {cpu_ratio:.2f} | {wall_ratio:.2f} |")
    if "with sets" in measures:
        ratio = statistics.median(
            m.cpu / s.cpu for m, s in zip(measures["with sets"], measures["strandline"]))
        lines.append(f"\nWith sets ÷ without: {ratio:.2f} of the CPU time.")
    return "\n".join(lines)


def first_line(command):
    """The first line that a command prints, or None when it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=ROOT)
    except OSError:
        return None
    return done.stdout.strip().split("\n")[0] if done.returncode == 0 else None


def proc_field(path, key):
    """The value of the first `key: value` line of a file in /proc."""
    for line in Path(path).read_text(errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return "unknown"


def machine(options):
    """What a reader must know to weigh the figures."""
    memory_gib = int(proc_field("/proc/meminfo", "MemTotal").split()[0]) / MIB
    facts = [
        f"{proc_field('/proc/cpuinfo', 'model name')}, {len(os.sched_getaffinity(0))} cores, "
        f"{memory_gib:.0f} GiB",
        f"Linux {platform.release()}",
        f"load before the run {os.getloadavg()[0]:.2f}",
        f"commit {first_line(['git', 'describe', '--always', '--dirty']) or 'unknown'}",
        first_line([options.strandline, "--version"]) if options.strandline else None,
        first_line([options.rg, "--version"]) if options.rg else None,
        f"Python {platform.python_version()}",
        f"{options.rounds} rounds",
    ]
    return "; ".join(fact for fact in facts if fact) + "."


def build_floor():
    """Builds the floor as Cargo's benchmark and returns the path of the program."""
    command = ["cargo", "bench", "--bench", "floor", "--no-run", "--message-format=json"]
    try:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise Failure("cargo is not installed: give the floor's program with --floor") from None
    if done.returncode == 0:
        for line in done.stdout.splitlines():
            message = json.loads(line) if line.startswith("{") else {}
            if message.get("executable") and message["target"]["name"] == "floor":
                return message["executable"]
    raise Failure(f"`{' '.join(command)}` built no floor: see above, or give its program with --floor")


def settle(options):
    """Finds the programs; returns notes on those that are left out."""
    notes = []
    options.floor = options.floor or build_floor()
    rules = first_line([options.floor, "--print-rules"])
    if not rules:
        raise Failure(f"{options.floor} does not print its rules: is it the floor?")
    options.work.mkdir(parents=True, exist_ok=True)
    options.rules = options.work / "rules.txt"
    with options.rules.open("wb") as file:
        subprocess.run([options.floor, "--print-rules"], stdout=file, check=True)

    if not os.access(options.strandline, os.X_OK):
        notes.append(f"strandline is left out: {options.strandline} is not there; "
                     "`cargo build --release` makes it")
        options.strandline = None
    options.rg = None if "rg" in options.without else shutil.which("rg")
    if not options.rg:
        notes.append("rg is left out" + (" as asked" if "rg" in options.without else
                                         ": not installed (Debian: apt-get install ripgrep)"))
    options.python = "python" not in options.without
    if not options.python:
        notes.append("python is left out as asked")
    return notes


def record(title, text):
    """Appends a dated section to the book of results."""
    book = HERE / "RESULTS.md"
    head = "" if book.exists() else "# Results of the benchmarks\n"
    with book.open("a", encoding="utf-8") as file:
        file.write(f"{head}\n## {datetime.date.today()} {title}\n\n{text}\n")
    print(f"appended to {book}", file=sys.stderr)


def parse_options():
    """The command line."""
    def numbers(text):
        return [int(number) for number in text.split(",")]

    parser = argparse.ArgumentParser(description="Measure Strandline beside the floor and its peers.")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="default: all")
    parser.add_argument("--jobs", type=numbers, default=[2, 1], metavar="N,M")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without", type=lambda text: text.split(","), default=[], metavar="python,rg")
    parser.add_argument("--strandline", type=Path, default=ROOT / "target" / "release" / "strandline")
    parser.add_argument("--floor", help="default: built by cargo")
    parser.add_argument("--packages", type=Path, default=fetch.default_directory())
    parser.add_argument("--work", type=Path, default=ROOT / "target" / "bench")
    parser.add_argument("--big-size", default="2G", help="bytes of its tar (default 2G)")
    parser.add_argument("--record", metavar="TITLE", help="append to benches/RESULTS.md")
    options = parser.parse_args()
    if options.rounds < 1 or min(options.jobs) < 1:
        parser.error("--rounds and --jobs are 1 or more")
    return options


def main():
    """Runs the command line; returns the exit status."""
    options = parse_options()
    try:
        notes = settle(options)
        text = [machine(options)] + [f"Note: {note}." for note in notes]
        for name in options.scenario or SCENARIOS:
            if name == "seen":
                text.append(seen(options))
                continue
            scenario = lay_out(name, options)
            for jobs in options.jobs:
                heading = f"{name}, --jobs {jobs}: {scenario.title}"
                print(heading, file=sys.stderr)
                measures = compete(scenario, contestants(scenario, jobs, options), options.rounds)
                text.append(f"**{heading}**\n\n{table(measures)}")
    except (Failure, OSError) as failure:
        print(f"run.py: {failure}", file=sys.stderr)
        return 1
    text = "\n\n".join(text)
    print(text)
    if options.record:
        record(options.record, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
