#!/usr/bin/env python3
"""Gets the packages of `packages.tsv` and says which of their files count.

    packages.py [--cache DIR] [--pin]

Each row pins one archive by its SHA-256. Archives come through the ordinary clients, with whatever registry
they are configured for: `npm pack --ignore-scripts`, `pip download --no-deps` of pure wheels (a source
distribution would run its own setup program), and `cargo info`, which leaves the .crate in cargo's cache. No package's
own code is run. An archive enters the cache only when its hash is right.

`--pin` fills the hashes, sizes and licences of rows that have `-` there; it is for whoever edits the table.

Roles: `signature` (signed; its files are mutated), `earlier` and `later` (another version of a signature package),
`port` (the same library in another ecosystem; `note` names it), `foreign` (nothing of it may match; `note` may make
it a hard negative), `baseline` (known public code). Halves `dev` and `test` are frozen here, by package.

Python's standard library only. Exit status 1 when a package cannot be had or does not match.
"""

import argparse
import csv
import email
import fnmatch
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = HERE / "packages.tsv"
SOURCE_EXTENSIONS = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".py", ".rs")
MIN_BYTES = 200
MAX_BYTES = 400_000
MEMBER_LIMIT = 8 << 20
"""No source file is larger; a larger member is not read at all."""
NOT_SOURCES = {
    "test", "tests", "__tests__", "testing", "spec", "specs", "fixtures", "__fixtures__", "testdata", "node_modules",
    "locale", "locales", "examples", "example", "demo", "demos", "docs", "doc", "bench", "benches", "benchmarks", "__mocks__", "tests-examples",
}
NPM_PER_CALL = 8


class Package:
    """One row of the table."""

    def __init__(self, row):
        self.row = row
        self.ecosystem = row["ecosystem"]
        self.name = row["name"]
        self.version = row["version"]
        self.role = row["role"]
        self.half = row["half"]
        self.folders = row["folders"].split(",")
        self.note = row["note"]
        self.archive = row["archive"]
        self.sha256 = row["sha256"]

    @property
    def id(self):
        """`npm-hls.js-1.6.13`; a scope is joined as npm joins it in file names."""
        return f"{self.ecosystem}-{self.name.removeprefix('@').replace('/', '-')}-{self.version}"

    def path(self, cache):
        return cache / self.ecosystem / self.archive


def table():
    """All rows, in the table's order."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return [Package(row) for row in csv.DictReader(file, delimiter="\t")]


def digest(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_right(package, cache):
    path = package.path(cache)
    return package.sha256 != "-" and path.is_file() and digest(path) == package.sha256


def fetch(packages, cache):
    """Brings what is missing; returns the packages that could not be had or are not as pinned."""
    for ecosystem in ("npm", "pypi", "crate"):
        (cache / ecosystem).mkdir(parents=True, exist_ok=True)
    missing = [package for package in packages if not is_right(package, cache)]
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as fresh:
        fresh = Path(fresh)
        npm([package for package in missing if package.ecosystem == "npm"], fresh)
        for package in missing:
            if package.ecosystem == "pypi":
                wheel(package, fresh)
            elif package.ecosystem == "crate":
                crate(package, fresh)
        return [package for package in missing if not accept(package, fresh, cache)]


def accept(package, fresh, cache):
    """Moves a fetched archive into the cache when its hash is right, or not known yet."""
    found = fetched(package, fresh)
    if found is None:
        print(f"packages.py: {package.id} could not be had", file=sys.stderr)
        return False
    if package.sha256 == "-":
        package.archive = package.row["archive"] = found.name
        package.sha256 = package.row["sha256"] = digest(found)
        package.row["bytes"] = str(found.stat().st_size)
    elif digest(found) != package.sha256:
        print(f"packages.py: {package.id} has SHA-256 {digest(found)}, not {package.sha256}", file=sys.stderr)
        return False
    os.replace(found, package.path(cache))
    return True


def fetched(package, fresh):
    """The file that a client left for `package`, wherever in `fresh`."""
    folder = fresh / package.ecosystem
    if package.ecosystem == "npm":
        names = [f"{package.name.removeprefix('@').replace('/', '-')}-{package.version}.tgz"]
    elif package.ecosystem == "crate":
        names = [f"{package.name}-{package.version}.crate"]
    else:
        folder = folder / package.id
        names = [path.name for path in sorted(folder.glob("*.whl"))]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    return None


def npm(packages, fresh):
    """One call for several packages saves npm's start-up; one that fails takes its call with it, so each again."""
    folder = fresh / "npm"
    folder.mkdir()
    for first in range(0, len(packages), NPM_PER_CALL):
        some = packages[first : first + NPM_PER_CALL]
        if not npm_pack(some, folder):
            for package in some:
                if fetched(package, fresh) is None:
                    npm_pack([package], folder)


def npm_pack(packages, folder):
    command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder)]
    # In an empty folder, so that no project's settings have a say.
    specs = [f"{package.name}@{package.version}" for package in packages]
    return subprocess.run(command + specs, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode == 0


def wheel(package, fresh):
    """`--platform any`: the wheel that is the same on every machine, or none."""
    folder = fresh / "pypi" / package.id
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary", ":all:", "--platform", "any", "--dest", str(folder)]
    subprocess.run(command + [f"{package.name}=={package.version}"], cwd=folder, stdin=subprocess.DEVNULL)


def crate(package, fresh):
    """Cargo keeps what `cargo info` had to read in its cache."""
    folder = fresh / "crate"
    folder.mkdir(exist_ok=True)
    name = f"{package.name}-{package.version}.crate"
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    for again in (False, True):
        for path in sorted(home.glob(f"registry/cache/*/{name}")):
            shutil.copyfile(path, folder / name)
            return
        if not again:
            subprocess.run(["cargo", "info", "--quiet", f"{package.name}@{package.version}"], cwd=folder,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def members(package, cache):
    """{path inside the package: bytes}: its regular files of use. The first folder of npm and crates goes."""
    path = package.path(cache)
    files = {}
    if package.ecosystem == "pypi":
        with zipfile.ZipFile(path) as wheel_file:
            for info in wheel_file.infolist():
                if not info.is_dir() and info.file_size <= MEMBER_LIMIT and is_of_use(info.filename):
                    files[info.filename] = wheel_file.read(info)
    else:
        with tarfile.open(path) as tar:
            for member in tar:
                inner = member.name.partition("/")[2]
                if member.isfile() and inner and member.size <= MEMBER_LIMIT and is_of_use(inner):
                    files[inner] = tar.extractfile(member).read()
    return {name: files[name] for name in sorted(files) if safe(name)}


def is_of_use(name):
    """Code, manifests, licences and prose; not maps, pictures and the like."""
    last = name.rpartition("/")[2]
    return last.endswith(SOURCE_EXTENSIONS + (".json", ".md", ".toml")) or re.match(r"METADATA$|LICEN[CS]E|COPYING|NOTICE", last, re.I) is not None


def safe(name):
    parts = name.split("/")
    return not name.startswith("/") and ".." not in parts and "" not in parts and "\\" not in name and "\0" not in name


def licence(package, files):
    """What the package says of its own licence, for the table."""
    if package.ecosystem == "npm":
        said = json.loads(files["package.json"])
        said = said.get("license") or said.get("licenses") or "?"
        if isinstance(said, list):
            said = " OR ".join(one.get("type", "?") if isinstance(one, dict) else one for one in said)
        return said.get("type", "?") if isinstance(said, dict) else said
    if package.ecosystem == "crate":
        return tomllib.loads(files["Cargo.toml"].decode())["package"].get("license", "?")
    for name, text in files.items():
        if name.endswith(".dist-info/METADATA"):
            head = email.message_from_bytes(text)
            classes = [one.rpartition(" :: ")[2] for one in head.get_all("Classifier", []) if one.startswith("License")]
            said = head.get("License-Expression") or ", ".join(classes) or head.get("License") or "?"
            return " ".join(said.split())[:60]
    return "?"


def wanted(package, name):
    """Whether `name` lies where the table says that the package's sources are."""
    for folder in package.folders:
        if "*" in folder:
            if fnmatch.fnmatchcase(name, folder):
                return True
        elif name == folder or name.startswith(folder.rstrip("/") + "/"):
            return True
    return False


def is_source(name, data):
    """A source file that somebody wrote: by its name, size and shape."""
    if not name.endswith(SOURCE_EXTENSIONS) or not MIN_BYTES <= len(data) <= MAX_BYTES:
        return False
    if re.search(r"\.d\.[mc]?ts$|\.min\.[mc]?js$|[.-](test|spec|bench|stories)\.[a-z]+$|(^|/)test_[^/]*\.py$|_test\.[a-z]+$", name):
        return False
    if set(name.split("/")[:-1]) & NOT_SOURCES:
        return False
    return is_text(data) and not is_minified(data)


def is_text(data):
    if b"\0" in data:
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def is_minified(data):
    """Long lines throughout, or one line that is most of the file."""
    lines = [len(line) for line in data.split(b"\n") if line.strip()] or [0]
    return sum(lines) / len(lines) > 160 or max(lines) > max(2_000, len(data) // 2)


def sources(package, files):
    """{path: bytes} of the files that count as the package's own sources."""
    return {name: data for name, data in files.items() if wanted(package, name) and is_source(name, data)}


def pin(cache):
    """Fills in what the table does not know yet."""
    packages = table()
    failed = fetch(packages, cache)
    for package in packages:
        if package not in failed and package.row["licence"] == "-":
            package.row["licence"] = licence(package, members(package, cache))
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(packages[0].row), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(package.row for package in packages)
    return failed


def default_cache():
    """Where archives are kept when nobody says otherwise: below the folder of the other pinned packages."""
    return HERE.parent.parent / "fixtures" / "packages" / "leakbench"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--cache", type=Path, default=default_cache())
    parser.add_argument("--pin", action="store_true")
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    failed = pin(given.cache.resolve()) if given.pin else fetch(table(), given.cache.resolve())
    for package in failed:
        print(f"packages.py: {package.id} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
