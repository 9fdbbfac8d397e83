#!/usr/bin/env python3
"""Makes leakbench, the data set that matching is measured on.

    make.py [--output DIR] [--cache DIR] [--small] [--seed N]

Fetches the packages of `packages.tsv` (see packages.py), signs none of them, and writes the files to sign, the public
baseline, and the targets: copies of signed files as tools and people change them, and files that have nothing to do
with any. README.md beside this file says what is where and what each class is. The same table, tools and seed make the same files.
`--small` takes a few packages and fewer targets, for a first look.

Needs Node with the tools of `node/package-lock.json` (`npm ci --ignore-scripts` is run in DIR/.tools when they are
not there), rustfmt, and the packages of `requirements.txt`. DIR is made anew: what an earlier run left there is
removed, if it is a data set. Exit status 1 when it cannot be made.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import own
import packages

HERE = Path(__file__).resolve().parent
JS = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx")
TS = (".ts", ".tsx")
PY = (".py",)
RS = (".rs",)
ALL = JS + PY + RS
WORKERS = 2
FILES_PER_PACKAGE = 60
BASELINE_PER_PACKAGE = 150
FOREIGN_PER_PACKAGE = 230
VENDORED_PER_PACKAGE = 14
MIN_MUTATED = 400
"""Smaller files are signed but nothing is made of them: too little is left of them to be found by anybody."""
MAX_OBFUSCATED = 60_000
MAX_DIST = 2_000_000
MIN_DIST = 10_000
MIN_COMPILED = 20
"""Fewer bytes than this are what compilers leave of a file of types."""
INLINED = {"markdown-it": ("linkify-it", "mdurl")}
"""Signed packages that others of them put into what they publish."""
SHINGLE_LINES = 4
SHARED_SHINGLES = 3
"""A foreign file with this many runs of four lines of a signed file, none of them in the baseline, is not foreign."""
KNOWN_SHARE = 0.3
"""A signed file with this share of its runs in the baseline is somebody else's, as are those that the table says a
package `holds`: such a file is signed, and never mutated."""

# class: (extensions, targets a half, where it is made)
CLASSES = {
    "identical": (ALL, 220, "own"), "crlf": (ALL, 220, "own"), "bom": (ALL, 160, "own"), "utf16": (ALL, 160, "own"),
    "lossy": (ALL, 200, "own"), "merged": (ALL, 200, "own"), "excerpt-5": (ALL, 240, "own"), "excerpt-10": (ALL, 240, "own"),
    "excerpt-25": (ALL, 240, "own"), "excerpt-50": (ALL, 240, "own"), "embedded-25": (ALL, 200, "own"),
    "edit-5": (ALL, 200, "own"), "edit-20": (ALL, 220, "own"), "edit-40": (ALL, 220, "own"),
    "markdown": (ALL, 200, "own"), "html": (ALL, 120, "own"), "notebook": (PY, 80, "own"), "base64-json": (ALL, 160, "own"),
    "tar-in-zip": (ALL, 120, "own"),
    "black": (PY, 150, "own"), "minify-python": (PY, 150, "own"), "rustfmt": (RS, 150, "own"),
    "comments-stripped": (ALL, 220, "both"), "renamed": (ALL, 240, "both"), "reordered": (ALL, 220, "both"), "split": (ALL, 200, "both"),
    "prettier": (JS, 220, "node"), "esbuild-ts2js": (TS, 180, "node"), "swc-ts2js": (TS, 180, "node"), "tsc-ts2js": (TS, 180, "node"),
    "es5": (JS, 220, "node"), "minify-esbuild": (JS, 220, "node"), "minify-swc": (JS, 220, "node"), "minify-terser": (JS, 220, "node"),
    "es5-terser": (JS, 200, "node"), "terser-mangle-props": (JS, 200, "node"), "renamed-terser": (JS, 200, "node"),
    "obfuscator": (JS, 150, "node"), "sourcemap": (JS, 150, "node"),
}
COMPILED = {
    "esbuild-ts2js", "swc-ts2js", "tsc-ts2js", "es5", "minify-esbuild", "minify-swc", "minify-terser", "es5-terser",
    "terser-mangle-props", "renamed-terser", "obfuscator",
}
SPARE = {"reordered": 1.8, "split": 1.8, "renamed": 1.3}
"""So many more files are tried in classes that many files are too small for."""
EXCERPTS = {"excerpt-5": 5, "excerpt-10": 10, "excerpt-25": 25, "excerpt-50": 50, "embedded-25": 25, "markdown": 25, "html": 25, "notebook": 25}
EXTENSION = {"markdown": ".md", "html": ".html", "notebook": ".ipynb", "base64-json": ".json", "tar-in-zip": ".zip", "sourcemap": ".map"}
VERSIONS_PER_PACKAGE = 18
DISTS_PER_PACKAGE = 10
BUNDLES_PER_PACKAGE = 5
FOREIGN_DISTS = 3
FOLDERS = 14
TYPES_PER_PACKAGE = 6
LICENCES_ALIKE = 3
"""Of licences that differ in their holders only: else the commonest one would be most of all false pairs."""
THIRD_PARTY = (
    "npm-lodash-4.18.1/lodash.js", "npm-react-19.3.1/cjs/react.production.js", "npm-jquery-4.0.0/dist/jquery.js",
    "npm-react-dom-19.3.1/cjs/react-dom-client.production.js", "npm-axios-1.21.1/lib/axios.js", "npm-async-3.2.6/index.js",
    "npm-underscore-1.13.8/underscore.js", "npm-redux-5.0.1/src/index.ts", "npm-bluebird-3.7.2/js/browser/bluebird.js",
    "npm-uuid-14.0.3/dist/index.js", "npm-commander-14.0.3/lib/command.js", "npm-events-3.3.0/events.js", "npm-buffer-6.0.3/index.js",
)
SMALL = {
    "mobx", "preact", "luxon", "commonmark", "jinja2", "petgraph", "immer", "rxjs", "leaflet", "mdurl", "click", "hyper",
    "alpinejs", "quill", "joi", "zustand", "lark", "pest", "cytoscape", "pdf-lib", "jszip", "swr", "js-yaml", "boltons", "chumsky",
    "lodash", "react", "react-dom", "tslib", "underscore", "axios", "six", "requests", "serde", "anyhow", "d3-shape", "similar", "idna",
    "entities", "reqwest", "moment", "mobx-utils", "plotly.js", "tone", "diesel", "nalgebra", "pygments", "unicode-width", "unicode-segmentation",
}
SMALL_SHARE = 0.2
SMALL_FOREIGN = 110


@dataclasses.dataclass
class Source:
    """One file of a package, as it was published."""

    package: packages.Package
    path: str
    data: bytes
    known: bool = False

    @property
    def extension(self):
        return os.path.splitext(self.path)[1]

    @functools.cached_property
    def text(self):
        return self.data.decode("utf-8")

    @property
    def key(self):
        return f"{self.package.id}/{self.path}"


@dataclasses.dataclass
class Job:
    """A target to be made: the `kind` and truth that the manifest will have, and what it takes to make it."""

    half: str
    cls: str
    kind: str
    truth: list
    extension: str
    level: str = "file"
    source: Source = None
    data: bytes = None
    others: tuple = ()
    node: dict = None
    folder: dict = None
    error: str = None

    def rng(self, seed):
        return rng(seed, self.cls, self.source.key if self.source else self.half)


def rng(*parts):
    """A generator of its own for each purpose, so that a new class leaves the others as they were."""
    return random.Random(hashlib.sha256("\0".join(map(str, parts)).encode()).digest())


def number(*parts):
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:4], "big")


# Which files


def all_sizes(files, count, generator):
    """`count` files, a quarter of them from each quarter of the sizes."""
    if len(files) <= count:
        return sorted(files, key=lambda one: one.key)
    ordered = sorted(files, key=lambda one: (len(one.data), one.key))
    chosen = []
    for quarter in range(4):
        some = ordered[len(ordered) * quarter // 4 : len(ordered) * (quarter + 1) // 4]
        chosen += generator.sample(some, min(len(some), count // 4))
    return sorted(chosen, key=lambda one: one.key)


def in_turn(files, generator):
    """Shuffled, with the packages taking turns, so that a large one has no more of a class than a small one."""
    by_package = collections.defaultdict(list)
    for one in sorted(files, key=lambda one: one.key):
        by_package[one.package.id].append(one)
    lists = list(by_package.values())
    generator.shuffle(lists)
    for one in lists:
        generator.shuffle(one)
    longest = max(map(len, lists), default=0)
    return [one[turn] for turn in range(longest) for one in lists if turn < len(one)]


def held(package, path):
    """Whether the table says that `path` holds somebody else's code."""
    folders = package.note.removeprefix("holds:").split(",") if package.note.startswith("holds:") else ()
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


COMMENT = ("//", "/*", "*", "#", '"""', "'''")


def shingles(text):
    """Digests of every run of four lines that hold code, blanks taken out."""
    lines = []
    for line in text.split("\n"):
        line = "".join(line.split())
        if len(line) >= 8 and not line.startswith(COMMENT) and not line.startswith(("import", "from", "use", "exportdefault")):
            lines.append(line)
    return {
        hashlib.blake2b("\n".join(lines[at : at + SHINGLE_LINES]).encode(), digest_size=8).digest()
        for at in range(len(lines) - SHINGLE_LINES + 1)
    }


class World:
    """Everything that targets are made from: packages, their files, and what is known of them."""

    def __init__(self, rows, cache, seed, small):
        self.seed = seed
        self.small = small
        self.rows = [row for row in rows if not small or row.name in SMALL]
        # All archives at once are some 1 GB.
        self.members = functools.cache(lambda package: packages.members(package, cache))
        self.dropped = collections.Counter()
        self.baseline = self.read("baseline", BASELINE_PER_PACKAGE)
        self.licences = [one for package in self.of_role("baseline") for one in self.licence_files(package)]
        self.signed = self.distinct(self.read("signature", FILES_PER_PACKAGE))
        self.foreign = self.read("foreign", SMALL_FOREIGN if small else FOREIGN_PER_PACKAGE)
        self.judge()

    def of_role(self, *roles):
        return [row for row in self.rows if row.role in roles]

    def read(self, role, count):
        files = []
        for package in self.of_role(role):
            found = packages.sources(package, self.members(package))
            if role == "baseline":
                found |= self.dists(package)
            some = [Source(package, name, data) for name, data in found.items()]
            if not some:
                raise SystemExit(f"make.py: {package.id} has no sources in {package.folders}")
            generator = rng(self.seed, role, package.id)
            vendored = [one for one in some if held(package, one.path)]
            files += all_sizes(vendored, VENDORED_PER_PACKAGE, generator)
            files += all_sizes([one for one in some if not held(package, one.path)], count, generator)
        return files

    def dists(self, package):
        """Minified and bundled files too: of the baseline all kinds of files count."""
        return {
            name: data
            for name, data in self.members(package).items()
            if name.endswith(packages.SOURCE_EXTENSIONS) and packages.wanted(package, name) and packages.MIN_BYTES <= len(data) <= MAX_DIST
            and packages.is_text(data) and packages.is_minified(data)
        }

    def licence_files(self, package):
        """Their texts stand on top of others' files, and within them. They say nothing of which files are foreign."""
        members = self.members(package)
        return [Source(package, name, members[name]) for name in sorted(members) if is_licence(name) and packages.is_text(members[name])]

    def distinct(self, files):
        """One of several files that say the same: else nobody could tell which one a copy is of."""
        seen = set()
        kept = []
        for one in files:
            same = "".join(one.text.split())
            if same in seen:
                self.dropped["signature: same text as another"] += 1
            else:
                seen.add(same)
                kept.append(one)
        return kept

    def judge(self):
        """Marks signed files that are public code, and takes out foreign files that are not foreign."""
        public = set()
        for one in self.baseline:
            public |= shingles(one.text)
        signed = set()
        known = set()
        for one in self.signed:
            runs = shingles(one.text)
            one.known = held(one.package, one.path) or bool(runs) and len(runs & public) >= max(1, KNOWN_SHARE * len(runs))
            self.dropped["signature: public code, not mutated"] += one.known
            signed |= runs - public
            if one.known:
                known |= runs
        kept = []
        for one in self.foreign:
            runs = shingles(one.text)
            shared = len(runs & signed)
            if one.package.note == "vendored":
                # The other way round: here only what a signed file holds too is of use.
                if runs & known:
                    kept.append(one)
                else:
                    self.dropped["vendored: not in a signed file"] += 1
            elif shared >= SHARED_SHINGLES or (runs and shared >= 0.2 * len(runs)):
                self.dropped[f"foreign: shares code with a signed file: {one.package.id}"] += 1
            else:
                kept.append(one)
        self.foreign = kept

    def truth(self, source, lines=None, target_lines=None):
        return [{"package": source.package.id, "file": source.path, "lines": lines, "target_lines": target_lines}]

    def usable(self, half, extensions):
        return [
            one for one in self.signed
            if one.package.half == half and one.extension in extensions and not one.known and len(one.data) >= MIN_MUTATED
        ]

    def share(self, count):
        return max(8, int(count * SMALL_SHARE)) if self.small else count


# What is to be made


def whole(package):
    """Truth of a target that only has to name its package."""
    return [{"package": package.id, "file": None, "lines": None, "target_lines": None}]


def file_jobs(world, half):
    """The classes that are made of one signed file each."""
    foreign = [one for one in world.foreign if one.package.half == half and one.package.note != "vendored"]
    alike = collections.defaultdict(list)
    for one in foreign:
        alike[one.extension].append(one)
    prose = readmes(world, half)
    for cls, (extensions, count, _) in CLASSES.items():
        generator = rng(world.seed, half, cls)
        pool = world.usable(half, extensions)
        if cls == "obfuscator":
            pool = [one for one in pool if len(one.data) <= MAX_OBFUSCATED]
        if cls in EXCERPTS:
            pool = [one for one in pool if own.excerpts(one.text, EXCERPTS[cls])]
        for source in in_turn(pool, generator)[: int(world.share(count) * SPARE.get(cls, 1))]:
            same = alike[source.extension] or foreign
            others = tuple(generator.choice(same).text for _ in range(2)) + (generator.choice(prose),)
            extension = EXTENSION.get(cls) or (".js" if cls in COMPILED else source.extension)
            job = Job(half, cls, "positive", world.truth(source), extension, source=source, others=others)
            if source.extension in JS and CLASSES[cls][2] != "own":
                job.node = {"op": cls, "extension": source.extension, "seed": number(world.seed, cls, source.key), "name": "../" + source.path}
            yield job


def readmes(world, half):
    """Prose that people wrote: what foreign packages say of themselves."""
    found = []
    for package in world.of_role("foreign"):
        if package.half == half:
            for name, data in world.members(package).items():
                if re.fullmatch(r"readme\.md", name, re.I) or name.endswith(".dist-info/METADATA"):
                    text = data.decode("utf-8", "replace").partition("\n\n")[2]
                    if len(text) > 500:
                        found.append(text[:20_000])
    return found


def own_bytes(job, seed):
    """The target of one job that Python makes, with its truth made more exact."""
    cls, source = job.cls, job.source
    text, extension, generator = source.text, source.extension, job.rng(seed)
    before, after, prose = job.others
    name, lines, target_lines = source.path, None, None
    match cls:
        case "identical":
            data = source.data
        case "crlf" | "bom" | "utf16" | "lossy":
            data = getattr(own, cls)(text)
        case "merged":
            data, target_lines = own.merged(text, before, after)
            lines = (1, len(text.rstrip("\n").split("\n")))
        case "excerpt-5" | "excerpt-10" | "excerpt-25" | "excerpt-50":
            part, lines = own.excerpt(text, EXCERPTS[cls], generator)
            data, target_lines = part.encode(), (1, lines[1] - lines[0] + 1)
        case "embedded-25":
            part, lines = own.excerpt(text, EXCERPTS[cls], generator)
            data, target_lines = own.merged(part, before, after)
        case "edit-5" | "edit-20" | "edit-40":
            data = own.edited(text, int(cls.rpartition("-")[2]), generator)
        case "markdown":
            part, lines = own.excerpt(text, EXCERPTS[cls], generator)
            data, target_lines = own.markdown(part, prose, extension[1:], generator)
        case "html":
            part, lines = own.excerpt(text, EXCERPTS[cls], generator)
            data, target_lines = own.html(part), (4, 28)
        case "notebook":
            part, lines = own.excerpt(text, EXCERPTS[cls], generator)
            data = own.notebook(part)
        case "base64-json":
            data = own.base64_json(text, name, before[:3000], generator)
        case "tar-in-zip":
            data = own.tar_in_zip(text, name, before[:3000])
        case "black":
            data = own.python_black(text)
        case "minify-python":
            data = own.python_minified(text)
        case "rustfmt":
            data = own.rustfmt(text)
        case "comments-stripped":
            data = own.python_comments(text) if extension == ".py" else own.rust_comments(text)
        case "renamed":
            data = own.python_minified(text, rename_only=True) if extension == ".py" else own.rust_renamed(text, generator)
        case "reordered":
            data = own.reordered(text, extension, generator)
        case "split":
            data, lines = own.split(text, extension)
            target_lines = (1, lines[1] - lines[0] + 1)
        case _:
            raise AssertionError(cls)
    return data, lines, target_lines


def own_job(arguments):
    """One job in a process of its own; a tool that cannot read a file must not end the run."""
    at, job, seed = arguments
    try:
        return at, own_bytes(job, seed), None
    except own.Failed as failed:
        return at, None, str(failed)
    except (RecursionError, MemoryError, subprocess.TimeoutExpired) as error:
        return at, None, type(error).__name__


def version_jobs(world, half):
    """Files of another version, where the signed version has one of that path that is not the same."""
    signed = collections.defaultdict(dict)
    for one in world.signed:
        if not one.known:
            signed[(one.package.ecosystem, one.package.name)][one.path] = one
    for package in world.of_role("earlier", "later"):
        if package.half != half:
            continue
        ours = signed[(package.ecosystem, package.name)]
        found = packages.sources(package, world.members(package))
        pool = []
        for path in sorted(set(found) & set(ours)):
            if len(found[path]) < MIN_MUTATED or found[path] == ours[path].data:
                continue
            theirs, mine = line_set(found[path]), line_set(ours[path].data)
            if len(theirs & mine) * 4 < len(theirs):
                world.dropped[f"version-{package.role}: written anew"] += 1
                continue
            pool.append(Source(package, path, found[path]))
        for one in all_sizes(pool, world.share(VERSIONS_PER_PACKAGE), rng(world.seed, package.id)):
            yield Job(half, f"version-{package.role}", "positive", whole(ours[one.path].package), one.extension, "package", data=one.data)


def line_set(data):
    return {line for line in (line.strip() for line in data.split(b"\n")) if len(line) >= 8}


def dist_jobs(world, half):
    """What the package itself publishes beside its sources, built by its own people."""
    for package in world.of_role("signature"):
        if package.half != half or package.ecosystem != "npm":
            continue
        ours = [one for one in world.signed if one.package is package]
        stems = {stem(one.path) for one in ours}
        built = {
            name: data for name, data in world.members(package).items()
            if re.search(r"\.[mc]?js$", name) and not packages.wanted(package, name) and packages.is_text(data)
            and not set(name.split("/")) & packages.NOT_SOURCES and MIN_DIST <= len(data) <= MAX_DIST
        }
        if len(built) > 25:
            # One built file for each source: only those whose source is signed.
            built = {name: data for name, data in built.items() if stem(name) in stems}
        generator = rng(world.seed, "dist", package.id)
        names = sorted(built, key=lambda name: (not packages.is_minified(built[name]), generator.random()))
        for name in names[:DISTS_PER_PACKAGE]:
            truth = whole(package) + [one for other in inlined(world, package, built[name]) for one in whole(other)]
            yield Job(half, "dist", "positive", truth, ".js", "package", data=built[name])


def inlined(world, package, built):
    """The signed packages that a built file holds: those of its dependencies that it does not ask for by name."""
    names = INLINED.get(package.name, ())
    others = [other for other in world.of_role("signature") if other.ecosystem == "npm" and other.name in names]
    return [other for other in others if not re.search(rb"require\([\"']%s[\"']" % other.name.encode(), built)]


def stem(path):
    """The last two names of a path, endings taken off."""
    return "/".join(path.split("/")[-2:]).partition(".")[0]


def port_jobs(world, half):
    """The same library in another ecosystem: a folder."""
    for package in world.of_role("port"):
        if package.half == half:
            of = next((row for row in world.of_role("signature") if f"{row.ecosystem}:{row.name}" == package.note), None)
            if of is not None:
                yield Job(half, "port", "positive", whole(of), "", "package", folder=packages.sources(package, world.members(package)))


def folder_jobs(world, half):
    """Whole foreign packages, beside the ports: none is a port of anything that is signed."""
    chosen = [row for row in world.of_role("foreign") if row.half == half and row.note not in ("vendored",)]
    rng(world.seed, "folders", half).shuffle(chosen)
    chosen.sort(key=lambda row: row.ecosystem == "npm")
    kept = {one.key for one in world.foreign}
    for package in chosen[:FOLDERS]:
        files = {name: data for name, data in packages.sources(package, world.members(package)).items() if f"{package.id}/{name}" in kept}
        if files:
            yield Job(half, "foreign-folder", "foreign", [], "", "package", folder=files)


def bundle_jobs(world, half, unpacked):
    """Signed files among third-party code, bundled and minified by esbuild."""
    third = [name for name in THIRD_PARTY if (unpacked / name).is_file()]
    for package in world.of_role("signature"):
        ours = [one for one in world.signed if one.package is package and one.extension in JS and not one.known]
        if package.half != half or not ours:
            continue
        for turn in range(world.share(BUNDLES_PER_PACKAGE) if not world.small else 2):
            generator = rng(world.seed, "bundle", package.id, turn)
            some = generator.sample(ours, min(len(ours), generator.choice((1, 3, 8, 20))))
            entries = [f"./{one.key}" for one in some] + ["./" + name for name in generator.sample(third, 3)]
            generator.shuffle(entries)
            node = {"op": "bundle", "root": str(unpacked), "entries": entries, "seed": generator.getrandbits(30), "extension": ".js"}
            yield Job(half, "bundle", "positive", [], ".js", node=node)


def foreign_jobs(world, half):
    """Files that have nothing to do with what is signed: as they are, and a third of them minified as well."""
    signed_names = {row.name for row in world.of_role("signature")}
    for one in (one for one in world.foreign if one.package.half == half):
        cls = hard_class(one)
        kind = "hard" if cls else "foreign"
        yield Job(half, cls or "foreign", kind, [], one.extension, data=one.data)
        seed = number(world.seed, "foreign", one.key)
        if one.extension in JS and seed % 3 == 0 and cls != "vendored" and len(one.data) >= MIN_MUTATED:
            op = "minify-esbuild" if seed % 2 else "minify-terser"
            node = {"op": op, "extension": one.extension, "seed": seed}
            yield Job(half, cls or "foreign-minified", kind, [], ".js", source=one, node=node)
    texts = collections.Counter()
    for package in world.of_role("foreign"):
        if package.half != half:
            continue
        files = world.members(package)
        for name in sorted(files):
            if is_licence(name) and packages.is_text(files[name]):
                texts[licence_text(files[name])] += 1
                if texts[licence_text(files[name])] > LICENCES_ALIKE:
                    continue
                yield Job(half, "licence", "hard", [], ".txt", data=files[name])
        if package.ecosystem == "npm" and package.note != "vendored":
            types = [name for name in sorted(files) if re.search(r"\.d\.[mc]?ts$", name) and packages.MIN_BYTES <= len(files[name]) <= packages.MAX_BYTES]
            for name in rng(world.seed, "types", package.id).sample(types, min(len(types), TYPES_PER_PACKAGE)):
                yield Job(half, "types", "hard", [], ".d.ts", data=files[name])
            yield from foreign_dists(world, half, package, files, signed_names)


def is_licence(name):
    return re.fullmatch(r"(LICEN[CS]E|COPYING|NOTICE)([.-][\w.-]+)?", name.rpartition("/")[2], re.I)


def licence_text(data):
    """A licence without whose it is: the same for all that are MIT."""
    lines = [line for line in data.decode().lower().split("\n") if "copyright (c)" not in line and "(c)" not in line and "licen" not in line[:30]]
    return re.sub(r"[^a-z]", "", "".join(lines))[-600:]


def foreign_dists(world, half, package, files, signed_names):
    """What foreign packages publish, unless one of the signed is built into it."""
    said = json.loads(files["package.json"])
    if signed_names & (set(said.get("dependencies") or ()) | set(said.get("devDependencies") or ())):
        return
    built = [
        name for name, data in files.items()
        if re.search(r"\.[mc]?js$", name) and not packages.wanted(package, name) and MIN_DIST <= len(data) <= MAX_DIST
        and packages.is_text(data) and packages.is_minified(data) and not set(name.split("/")) & packages.NOT_SOURCES
    ]
    for name in rng(world.seed, "foreign-dist", package.id).sample(sorted(built), min(len(built), FOREIGN_DISTS)):
        yield Job(half, "foreign-dist", "foreign", [], ".js", data=files[name])


MADE_BY_PROGRAM = r"table|data|generated|emoji|_pb2?\.|parser\.js$|codes|(^|/)maps?[./]|named-references"
"""Names that files of tables and generated code have, in packages that are here for theirs."""


def hard_class(one):
    """Which hard negative a foreign file is, by what it holds, then by its package."""
    if one.package.note == "vendored":
        return "vendored"
    lines = [line.strip() for line in one.text.split("\n") if line.strip()]
    comments = sum(line.startswith(COMMENT) for line in lines)
    code = [line for line in lines if not line.startswith(COMMENT)]
    if comments >= 0.8 * len(lines) and re.search(r"licen[cs]e|copyright", one.text, re.I):
        return "licence"
    if re.search(r"@generated|automatically generated|auto-?generated|generated by|do not edit", "\n".join(lines[:8]), re.I):
        return "generated"
    passing = sum(bool(re.match(r"(export (\*|\{|type \{)|import\b|from \S+ import|pub (use|mod)\b|use\b|mod\b|\}? ?from|[\w, ]+,$|\};?$)", line)) for line in code)
    if code and passing >= 0.9 * len(code):
        return "barrel"
    data = sum(is_data(line) for line in code)
    if len(code) >= 30 and data >= 0.75 * len(code):
        return "table"
    if one.package.note in ("table", "generated"):
        return one.package.note if re.search(MADE_BY_PROGRAM, one.path) else None
    return one.package.note or None


def is_data(line):
    """A line of a table: once strings are taken out, next to no letters are left."""
    rest = re.sub(r"""'[^']*'|"[^"]*"|0x[0-9a-fA-F]+|\\\\u[0-9a-fA-F{}]+""", "0", line[:400])
    return bool(re.search(r"\d", rest)) and sum(map(str.isalpha, rest)) <= 0.15 * len(rest)


# Making it


def plan(world, unpacked):
    jobs = []
    for half in ("dev", "test"):
        for make in (file_jobs, version_jobs, dist_jobs, port_jobs, folder_jobs, foreign_jobs):
            jobs += make(world, half)
        jobs += bundle_jobs(world, half, unpacked)
    return jobs


def unpack(world, to):
    """What esbuild reads to bundle: all files of the signed npm packages, and third-party code."""
    names = {name.partition("/")[0] for name in THIRD_PARTY}
    for package in world.rows:
        if package.ecosystem == "npm" and (package.role == "signature" or package.id in names):
            for name, data in world.members(package).items():
                if name.endswith(packages.SOURCE_EXTENSIONS + (".json",)) and not set(name.split("/")[:-1]) & (packages.NOT_SOURCES - {"doc", "testing"}):
                    write(to / package.id / name, data)


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def run_node(jobs, work, tools):
    """Two processes of Node, every other job each."""
    asked = [job for job in jobs if job.node]
    running = []
    for worker in range(WORKERS):
        lines = []
        for at in range(worker, len(asked), WORKERS):
            job = asked[at]
            request = {"id": at, "output": str(work / "out" / str(at)), **job.node}
            if job.source:
                request["input"] = str(work / "in" / hashlib.sha256(job.source.key.encode()).hexdigest())
                if not Path(request["input"]).exists():
                    write(Path(request["input"]), job.source.data)
            lines.append(json.dumps(request))
        (work / f"jobs-{worker}.jsonl").write_text("\n".join(lines) + "\n")
        command = ["node", "--max-old-space-size=3000", str(tools / "mutate.mjs"), str(work / f"jobs-{worker}.jsonl"), str(work / f"results-{worker}.jsonl")]
        running.append(subprocess.Popen(command, cwd=tools, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
    if any([process.wait() for process in running]):
        raise SystemExit("make.py: node ended with an error")
    for worker in range(WORKERS):
        for line in (work / f"results-{worker}.jsonl").read_text().splitlines():
            said = json.loads(line)
            take_result(asked[said["id"]], said, work)


def take_result(job, said, work):
    job.error = said.get("error")
    if job.error is None:
        job.data = (work / "out" / str(said["id"])).read_bytes()
    if "first" in said:
        lines = [said["first"], said["last"]]
        job.truth[0] |= {"lines": lines, "target_lines": [1, lines[1] - lines[0] + 1]}
    job.node["inputs"] = said.get("inputs", [])


def name_bundled(world, jobs):
    """The truth of a bundle: every signed file that esbuild says is in it."""
    signed = {one.key: one for one in world.signed}
    for job in jobs:
        if job.cls == "bundle" and not job.error:
            found = [signed[name] for name in sorted(job.node["inputs"]) if name in signed]
            job.truth = [entry | ({"known": True} if one.known else {}) for one in found for entry in world.truth(one)]
            if not job.truth:
                job.error = "nothing of the signed files is left"


def run_own(jobs, seed):
    asked = [(at, job, seed) for at, job in enumerate(jobs) if job.source and not job.node and job.data is None and job.folder is None]
    with concurrent.futures.ProcessPoolExecutor(WORKERS) as pool:
        for at, made, error in pool.map(own_job, asked, chunksize=16):
            job = jobs[at]
            job.error = error
            if made:
                job.data, lines, target_lines = made
                job.truth[0] |= {"lines": list(lines) if lines else None, "target_lines": list(target_lines) if target_lines else None}


def is_empty(job):
    """Nothing but an empty module is left."""
    if job.cls not in COMPILED and not (job.node and job.node["op"] in COMPILED):
        return not job.data
    left = re.sub(rb'export ?\{\};?|"use strict";?|\s', b"", job.data)
    return len(left) < MIN_COMPILED


def store(world, jobs, output):
    """Writes targets and manifest; returns what was left out: {class: {why: count}}."""
    left_out = collections.defaultdict(collections.Counter)
    made = collections.Counter()
    lines = []
    for job in jobs:
        if job.error is not None:
            left_out[job.cls]["the tool failed"] += 1
            continue
        if job.folder is None and is_empty(job):
            left_out[job.cls]["nothing left of it"] += 1
            continue
        at = (job.half, job.cls)
        if job.cls in SPARE and made[at] >= world.share(CLASSES[job.cls][1]):
            continue
        target = f"targets/{job.half}/{job.cls}/{made[at]}{job.extension}"
        made[at] += 1
        files = {target: job.data} if job.folder is None else {f"{target}/{name}": data for name, data in job.folder.items()}
        for name, data in files.items():
            write(output / name, data)
        lines.append(json.dumps({
            "target": target, "half": job.half, "class": job.cls, "kind": job.kind,
            "bytes": sum(map(len, files.values())), "truth": job.truth, "level": job.level,
        }, ensure_ascii=False))
    (output / "manifest.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made, left_out


def prepare(output):
    """An empty folder, which may be an older data set; anything else is not ours to remove."""
    if output.exists() and any(output.iterdir()):
        if not (output / "manifest.jsonl").is_file() and not (output / ".leakbench").is_file():
            raise SystemExit(f"make.py: {output} is not empty and no data set")
        for name in ("sources", "baseline", "targets", ".work", "manifest.jsonl", "stats.json"):
            path = output / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    output.mkdir(parents=True, exist_ok=True)
    (output / ".leakbench").touch()


def node_tools(output):
    """A folder with mutate.mjs and the pinned tools, installed where they are not yet."""
    tools = output / ".tools"
    tools.mkdir(exist_ok=True)
    lock = (HERE / "node" / "package-lock.json").read_bytes()
    fresh = not (tools / "package-lock.json").is_file() or (tools / "package-lock.json").read_bytes() != lock or not (tools / "node_modules").is_dir()
    for name in ("package.json", "package-lock.json", "mutate.mjs"):
        shutil.copyfile(HERE / "node" / name, tools / name)
    if fresh:
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--silent", "--no-audit", "--no-fund"], cwd=tools, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise SystemExit("make.py: npm ci failed")
    return tools


def versions():
    """The tools that had a hand in it."""
    found = {name: value for name, value in json.loads((HERE / "node" / "package.json").read_text())["dependencies"].items()}
    for name in ("black", "python-minifier", "tree-sitter", "tree-sitter-rust"):
        found[name] = importlib.metadata.version(name)
    for name in ("node", "rustfmt"):
        found[name] = subprocess.run([name, "--version"], capture_output=True, text=True).stdout.strip()
    found["python"] = sys.version.split()[0]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--output", type=Path, default=HERE.parent.parent / "fixtures" / "leakbench")
    parser.add_argument("--cache", type=Path, default=packages.default_cache())
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--seed", default="leakbench-1")
    given = parser.parse_args()
    begun = time.monotonic()
    took = {}

    def step(name):
        took[name] = round(time.monotonic() - begun - sum(took.values()), 1)
        print(f"{name}: {took[name]} s", file=sys.stderr)

    output, cache = given.output.resolve(), given.cache.resolve()
    prepare(output)
    tools = node_tools(output)
    rows = [row for row in packages.table() if not given.small or row.name in SMALL]
    cache.mkdir(parents=True, exist_ok=True)
    if packages.fetch(rows, cache):
        return 1
    step("fetch")
    world = World(rows, cache, given.seed, given.small)
    for folder, files in (("sources", world.signed), ("baseline", world.baseline), ("baseline", world.licences)):
        for one in files:
            write(output / folder / one.key, one.data)
    work = output / ".work"
    unpack(world, work / "unpacked")
    step("choose")
    jobs = plan(world, work / "unpacked")
    step("plan")
    run_node(jobs, work, tools)
    name_bundled(world, jobs)
    step("node")
    run_own(jobs, given.seed)
    step("own")
    made, left_out = store(world, jobs, output)
    errors = collections.defaultdict(collections.Counter)
    for job in jobs:
        if job.error:
            errors[job.cls][job.error[:90]] += 1
    shutil.rmtree(work)
    step("write")
    stats = {
        "seed": given.seed, "small": given.small,
        "targets": {half: {cls: count for (other, cls), count in sorted(made.items()) if other == half} for half in ("dev", "test")},
        "left_out": {cls: dict(why) for cls, why in sorted(left_out.items())},
        "errors": {cls: dict(why.most_common(5)) for cls, why in sorted(errors.items())},
        "files_left_out": dict(sorted(world.dropped.items())),
        "packages": dict(sorted(collections.Counter(f"{row.ecosystem} {row.role}" for row in world.rows).items())),
        "signed_files": len(world.signed), "signed_bytes": sum(len(one.data) for one in world.signed),
        "baseline_files": len(world.baseline), "baseline_bytes": sum(len(one.data) for one in world.baseline),
        "tools": versions(), "seconds": took,
    }
    (output / "stats.json").write_text(json.dumps(stats, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
