#!/usr/bin/env python3
"""Holds other ways of matching against leakbench.

    peers.py [DIR] [--half dev|test|both] [--peer NAME]... [--json FILE]

DIR is what make.py made (default `fixtures/leakbench`). Of each half, the signature files of that half's packages are
indexed and each target is scored against each of them. A peer's threshold is the lowest that lets at most one in 100,000
pairs of foreign and hard targets with signed files through on the development half; it is used for both halves.
`vendored` targets are left out of that, for they do hold what is signed: only a baseline could know better.

Peers:

    git-sha1          the git blob id of the whole file
    scanoss           SCANOSS's winnowing, as shipped: no snippets of small, JSON, HTML, Markdown or text files
    scanoss-all       the same with `all_extensions`, which skips nothing
    scanoss-best      the same, with its `skip_headers`, and the hashes of the public baseline taken out of the index
    tlsh              TLSH of the whole file, by distance (only when asked for)
    dolos             Dolos's winnowing over syntax trees, its own parsers and defaults (only when asked for; --dolos DIR)

A pair's score is the number of distinct hashes that both hold; for tlsh it is the distance below 300. Weighing the number by
the share of a file that it is was tried, and found fewer of embedded and bundled files, with no lower threshold.

Printed per class: the share of true pairs at or over the threshold, targets of at least 400 bytes, and of all; targets
whose best pair is wrong; false pairs; and MB/s of one process, targets read beforehand. Package-level classes
ask for any file of the package. Needs requirements-peers.txt.
"""

import argparse
import collections
import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = ("git-sha1", "scanoss", "scanoss-all", "scanoss-best")
MORE_PEERS = ("tlsh", "dolos")
FALSE_PAIRS = 1e-5
MIN_BYTES = 400
TLSH_FAR = 300
"""Distances from here on count as nothing in common."""


class Git:
    """Equal or not."""

    def fingerprint(self, name, data):
        return {hashlib.sha1(b"blob %d\0" % len(data) + data).digest()}


class Scanoss:
    """Snippet hashes as SCANOSS's client computes them."""

    def __init__(self, everything, headers):
        from scanoss_winnowing.winnowing import Winnowing

        self.winnowing = Winnowing(size_limit=False, all_extensions=everything, c_accelerated=True, quiet=True, skip_headers=not headers)

    def fingerprint(self, name, data):
        found = set()
        for line in self.winnowing.wfp_for_contents(name, False, data).split("\n"):
            before, equals, hashes = line.partition("=")
            if equals and before.isdecimal():
                found.update(hashes.split(","))
        return found


class Dolos:
    """Hashes of runs of tokens of the syntax tree, by the package itself in a process beside this one."""

    def __init__(self, folder):
        script = folder / "dolos.mjs"
        shutil.copyfile(HERE / "node" / "dolos.mjs", script)
        self.node = subprocess.Popen(["node", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def fingerprint(self, name, data):
        self.node.stdin.write(json.dumps({"name": name, "text": data.decode("utf-8", "replace")}) + "\n")
        self.node.stdin.flush()
        return set(json.loads(self.node.stdout.readline())["hashes"])


class Shared:
    """An index of fingerprints, and what a target shares with each signed file."""

    def __init__(self, peer, signed, without=frozenset()):
        self.peer = peer
        self.index = collections.defaultdict(list)
        for name, data in signed.items():
            for one in peer.fingerprint(name, data) - without:
                self.index[one].append(name)

    def scores(self, name, data):
        counts = collections.Counter()
        for one in self.peer.fingerprint(name, data):
            if one in self.index:
                counts.update(self.index[one])
        return counts


class Tlsh:
    """Distances to every signed file."""

    def __init__(self, signed):
        import tlsh

        self.tlsh = tlsh
        self.signed = {name: one for name, data in signed.items() if (one := tlsh.hash(data)) not in ("", "TNULL")}

    def scores(self, name, data):
        mine = self.tlsh.hash(data)
        if mine in ("", "TNULL"):
            return {}
        found = {}
        for other, theirs in self.signed.items():
            distance = self.tlsh.diff(mine, theirs)
            if distance < TLSH_FAR:
                found[other] = TLSH_FAR - distance
        return found


def prepared(peer, signed, baseline, dolos):
    """The peer with its index built."""
    if peer == "git-sha1":
        return Shared(Git(), signed)
    if peer == "tlsh":
        return Tlsh(signed)
    if peer == "dolos":
        return Shared(Dolos(dolos), signed)
    scanoss = Scanoss(everything=peer != "scanoss", headers=peer != "scanoss-best")
    known = set()
    if peer == "scanoss-best":
        for name, data in baseline.items():
            known |= scanoss.fingerprint(name, data)
    return Shared(scanoss, signed, known)


def tree(folder):
    """{path below `folder`: bytes}, sorted."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def read(path):
    """A target's files: one, or those of a folder."""
    return [(path.name, path.read_bytes())] if path.is_file() else list(tree(path).items())


def score_half(data_set, rows, half, peer, sources, baseline, dolos):
    """Every target's scores, with the time it took."""
    of_half = {row["package"] for target in rows if target["half"] == half for row in target["truth"]}
    signed = {name: data for name, data in sources.items() if name.partition("/")[0] in of_half}
    matcher = prepared(peer, signed, baseline, dolos)
    targets = [(row, read(data_set / row["target"])) for row in rows if row["half"] == half]
    begun = time.perf_counter()
    scored = []
    for row, files in targets:
        best = collections.Counter()
        for name, data in files:
            for other, score in matcher.scores(name, data).items():
                best[other] = max(best[other], score)
        scored.append((row, best))
    return {"scored": scored, "signed": len(signed), "seconds": time.perf_counter() - begun, "bytes": sum(row["bytes"] for row, _ in targets)}


def threshold(result):
    """The lowest score that lets at most one in 100,000 false pairs through."""
    wrong, pairs = [], 0
    for row, best in result["scored"]:
        if row["kind"] != "positive" and row["class"] != "vendored":
            pairs += result["signed"]
            wrong += best.values()
    wrong.sort(reverse=True)
    allowed = int(FALSE_PAIRS * pairs)
    return wrong[allowed] + 1 if len(wrong) > allowed else 1


def judge(result, least):
    """What a threshold makes of the scores, by class."""
    classes = collections.defaultdict(collections.Counter)
    pairs = false_pairs = 0
    for row, best in result["scored"]:
        found = {name: score for name, score in best.items() if score >= least}
        counts = classes[row["class"]]
        counts["targets"] += 1
        if row["kind"] != "positive":
            counts["targets with a false match"] += bool(found)
            counts["false pairs"] += len(found)
            if row["class"] != "vendored":
                pairs += result["signed"]
                false_pairs += len(found)
            continue
        true = {f"{one['package']}/{one['file']}" if one["file"] else one["package"] for one in row["truth"]}
        seen = {name if row["level"] == "file" else name.partition("/")[0] for name in found}
        large = row["bytes"] >= MIN_BYTES
        counts["true"] += len(true)
        counts["found"] += len(true & seen)
        counts["true large"] += len(true) * large
        counts["found large"] += len(true & seen) * large
        if found:
            first = min(found, key=lambda name: (-found[name], name))
            counts["best is wrong"] += (first if row["level"] == "file" else first.partition("/")[0]) not in true
    return {"false_pair_rate": false_pairs / max(1, pairs), "pairs": pairs, "classes": {name: dict(counts) for name, counts in sorted(classes.items())}}


def share(counts, part, whole):
    return f"{counts.get(part, 0) / counts[whole]:.3f}" if counts.get(whole) else "-"


def show(half, results):
    """One table a half: a line for each class, a column for each peer."""
    names = sorted({name for one in results.values() for name in one["classes"]})
    print(f"\n{half}: share of true pairs found, targets of at least {MIN_BYTES} bytes (of all)\n")
    print(f"{'class':<22}{'n':>6}" + "".join(f"{peer:>20}" for peer in results))
    for name in names:
        first = next(iter(results.values()))["classes"][name]
        if "true" in first:
            cells = [f"{share(one['classes'][name], 'found large', 'true large')} ({share(one['classes'][name], 'found', 'true')})" for one in results.values()]
            print(f"{name:<22}{first['true']:>6}" + "".join(f"{cell:>20}" for cell in cells))
    print("\ntargets with a false match")
    for name in names:
        first = next(iter(results.values()))["classes"][name]
        if "true" not in first:
            print(f"{name:<22}{first['targets']:>6}" + "".join(f"{one['classes'][name].get('targets with a false match', 0):>20}" for one in results.values()))
    for label, key, shape in (("threshold", "threshold", "{}"), ("false pairs", "false_pair_rate", "{:.1e}"), ("MB/s", "mb_per_second", "{:.1f}")):
        print(f"{label:<28}" + "".join(f"{shape.format(one[key]):>20}" for one in results.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("data_set", nargs="?", type=Path, default=HERE.parent.parent / "fixtures" / "leakbench")
    parser.add_argument("--half", choices=("dev", "test", "both"), default="dev")
    parser.add_argument("--peer", action="append", choices=PEERS + MORE_PEERS)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--dolos", type=Path, help="folder in which npm installed what node/dolos.mjs names")
    given = parser.parse_args()
    rows = [json.loads(line) for line in (given.data_set / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    sources, baseline = tree(given.data_set / "sources"), tree(given.data_set / "baseline")
    halves = ("dev", "test") if given.half == "both" else (given.half,)
    report = {half: {} for half in halves}
    for peer in given.peer or PEERS:
        least = None
        for half in ("dev", "test"):
            if half == "dev" or half in halves:
                result = score_half(given.data_set, rows, half, peer, sources, baseline, given.dolos)
                least = threshold(result) if half == "dev" else least
                if half in halves:
                    speed = result["bytes"] / 1e6 / result["seconds"]
                    report[half][peer] = {"threshold": least, "mb_per_second": round(speed, 2), "signed": result["signed"], **judge(result, least)}
        print(f"{peer}: done", file=sys.stderr)
    for half in halves:
        show(half, report[half])
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
