"""Mutations by our own seeded programs, and the Python and Rust tools.

Every function takes the text of one file and gives the text of a copy, with line ranges where a part of the file is
taken; `Failed` says why a file cannot be mutated so. Lines are counted from one and both ends belong to a range.
"""

import ast
import base64
import gzip
import io
import json
import re
import subprocess
import tarfile
import tokenize
import zipfile

import black
import python_minifier
import tree_sitter
import tree_sitter_rust

MIN_UNITS = 4
"""Fewer top-level things than this are not worth shuffling or splitting."""
LONGER_THAN_EXCERPT = 1.2
"""A file of which this is not an excerpt but nearly the whole is left out."""
TOOL_SECONDS = 20
RUSTFMT = "max_width=70,hard_tabs=true,use_small_heuristics=Max,fn_params_layout=Compressed,reorder_imports=false"
LONG_AGO = (2020, 1, 1, 0, 0, 0)
"""The time in archives that are made."""


class Failed(Exception):
    """A file that a mutation cannot be made of, and why."""


# Text as it is stored


def crlf(text):
    """The other line end than the file has."""
    return (text.replace("\r\n", "\n") if "\r\n" in text else text.replace("\n", "\r\n")).encode()


def bom(text):
    return b"\xef\xbb\xbf" + text.encode()


def utf16(text):
    return b"\xff\xfe" + text.encode("utf-16-le")


def lossy(text):
    """As after a paste through a poor tool: no character beyond ASCII, every run of blanks one blank."""
    text = re.sub(r"[^\x00-\x7f]", "\ufffd", text)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+", " ", text)).encode()


# Parts of a file


def is_code(line):
    """A line that says something: not blank, not a comment, not an import, not brackets or one name alone."""
    line = line.strip()
    if re.fullmatch(r"[\w$.*\"']+,?;?", line):
        return False
    if len(line) < 6 or line.startswith(("//", "/*", "*", "#", "import ", "from ", "export *", "use ", "extern ", '"""')):
        return False
    return bool(re.search(r"[A-Za-z_]{2}", line))


def excerpts(text, count):
    """Where `count` consecutive lines may begin: at least half of them hold code, and the first and last do."""
    code = [is_code(line) for line in text.replace("\r\n", "\n").split("\n")]
    if len(code) < count * LONGER_THAN_EXCERPT:
        return []
    return [
        first for first in range(len(code) - count + 1)
        if code[first] and code[first + count - 1] and sum(code[first : first + count]) * 2 >= count
    ]


def excerpt(text, count, rng):
    """One of these excerpts, and its lines."""
    starts = excerpts(text, count)
    if not starts:
        raise Failed("too short for the excerpt")
    first = rng.choice(starts)
    return "\n".join(text.replace("\r\n", "\n").split("\n")[first : first + count]) + "\n", (first + 1, first + count)


def edited(text, percent, rng):
    """That share of the lines is dropped, followed by a foreign line, or has one name changed."""
    words = sorted(set(re.findall(r"[A-Za-z_]{4,}", text))) or ["value"]
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if rng.random() * 100 >= percent:
            lines.append(line)
            continue
        kind = rng.randrange(3)
        names = list(re.finditer(r"\b[A-Za-z_]\w{2,}\b", line))
        indent = line[: len(line) - len(line.lstrip())]
        if kind == 1 or (kind == 2 and not names):
            lines += [line, indent + junk(rng, words)]
        elif kind == 2:
            name = rng.choice(names)
            lines.append(line[: name.start()] + fresh_name(rng) + line[name.end() :])
    return "\n".join(lines).encode()


def fresh_name(rng):
    syllables = "ba cor den fil gra hol jin kel lum mor nat pex quo ras sib tov ul wex yar zim".split()
    return "".join(rng.choice(syllables) for _ in range(rng.randrange(2, 4)))


def junk(rng, words):
    """A line that was never in the file, with names that may have been."""
    name, word, number = fresh_name(rng), rng.choice(words), rng.randrange(2, 5000)
    return rng.choice((
        f"{name} = {word}({number})", f"if ({name} > {number}) {{ {word}({name}) }}", f"{name}.{fresh_name(rng)}({number}, {word});",
        f"// {fresh_name(rng)} {word} {fresh_name(rng)}", f"log('{fresh_name(rng)} {number}', {name});", f"{name}[{number}] = {word};",
    ))


def merged(text, before, after):
    """The file between two foreign ones, and the lines where it stands."""
    head = before.rstrip("\n") + "\n\n"
    body = text if text.endswith("\n") else text + "\n"
    first = head.count("\n") + 1
    lines = (first, first + len(text.rstrip("\n").split("\n")) - 1)
    return (head + body + "\n" + after).encode(), lines


# Inside other kinds of files


def markdown(part, prose, fence, rng):
    """A fenced block after one of the paragraphs of somebody else's README, and the lines where it stands."""
    paragraphs = re.split(r"\n{2,}", re.sub(r"```.*?(```|\Z)", "", prose, flags=re.S).strip())[:24] or ["Notes"]
    at = rng.randrange(1, len(paragraphs) + 1)
    head = "\n\n".join(paragraphs[:at]) + f"\n\n```{fence}\n"
    first = head.count("\n") + 1
    text = head + part.rstrip("\n") + "\n```\n\n" + "\n\n".join(paragraphs[at:]) + "\n"
    return text.encode(), (first, first + part.rstrip("\n").count("\n"))


def base64_json(text, name, foreign, rng):
    """What an interface of a code host answers: files in base64, some compressed before."""
    data = text.encode()
    files = [
        {"path": name, "encoding": "base64", "size": len(data), "content": base64.b64encode(data).decode()},
        {"path": "index.txt", "encoding": "base64", "size": len(foreign), "content": base64.b64encode(foreign.encode()).decode()},
    ]
    if rng.random() < 0.25:
        files[0]["encoding"] = "gzip+base64"
        files[0]["content"] = base64.b64encode(gzip.compress(data, mtime=0)).decode()
    rng.shuffle(files)
    return json.dumps({"total": len(files), "files": files}, indent=1).encode()


def notebook(part):
    """A notebook with the part in a cell."""
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Notes\n", "What we run each week."]},
        {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": part.splitlines(keepends=True)},
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1).encode()


def html(part):
    """A page with the part in `<pre>`, escaped."""
    escaped = part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return f"<!doctype html>\n<title>paste</title>\n<body><h1>paste</h1>\n<pre><code>{escaped}</code></pre>\n</body>\n".encode()


def tar_in_zip(text, name, foreign):
    """A zip of a tar of the file and another one."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for member, data in (("project/notes.txt", foreign.encode()), (f"project/{name.rpartition('/')[2]}", text.encode())):
            info = tarfile.TarInfo(member[-90:])
            info.size, info.mtime = len(data), 1_577_836_800
            tar.addfile(info, io.BytesIO(data))
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo("backup.tar", LONG_AGO), inner.getvalue(), zipfile.ZIP_DEFLATED)
    return outer.getvalue()


# Python


def parsed(text):
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise Failed(f"python: {error}") from error


def python_black(text):
    try:
        return black.format_str(text, mode=black.Mode(line_length=60, string_normalization=True, magic_trailing_comma=False)).encode()
    except Exception as error:
        raise Failed(f"black: {type(error).__name__}") from error


def python_comments(text):
    """Without comments and docstrings."""
    lines = text.split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                row = token.start[0] - 1
                lines[row] = lines[row][: token.start[1]].rstrip()
    except (tokenize.TokenError, SyntaxError) as error:
        raise Failed(f"tokenize: {error}") from error
    gone = set()
    for node in ast.walk(parsed(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and len(node.body) > 1:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                gone.update(range(first.lineno - 1, first.end_lineno))
    kept = [line for row, line in enumerate(lines) if row not in gone]
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(kept)).encode()


def python_minified(text, rename_only=False):
    """`python-minifier`: with everything, or with local names changed and the rest left."""
    options = dict(rename_locals=True, rename_globals=True, remove_literal_statements=True, hoist_literals=True)
    if rename_only:
        options = dict(rename_locals=True, rename_globals=False, hoist_literals=False, combine_imports=False, remove_annotations=False,
                       remove_pass=False, remove_object_base=False, convert_posargs_to_args=False, remove_explicit_return_none=False,
                       remove_builtin_exception_brackets=False, constant_folding=False)
    try:
        small = python_minifier.minify(text, **options)
        if rename_only:
            small = black.format_str(small, mode=black.Mode())
        return small.encode()
    except Exception as error:
        raise Failed(f"python-minifier: {type(error).__name__}") from error


def python_ranges(nodes, first_line, last_line):
    """The line ranges of `nodes`, decorators and the lines before each (comments, blanks) included."""
    ranges = []
    begin = first_line
    for node in nodes:
        ranges.append((begin, node.end_lineno))
        begin = node.end_lineno + 1
    if ranges:
        ranges[-1] = (ranges[-1][0], last_line)
    if any(first > last for first, last in ranges):
        raise Failed("python: two statements on one line")
    return ranges


def python_units(text):
    """Line ranges that may change places: top-level statements after the imports, or the body of the largest class."""
    tree = parsed(text)
    body = tree.body
    while body and isinstance(body[0], (ast.Expr, ast.Import, ast.ImportFrom, ast.If, ast.Try)):
        first, body = body[0], body[1:]
    if len(body) >= MIN_UNITS:
        begin = tree.body[tree.body.index(body[0]) - 1].end_lineno + 1 if body[0] is not tree.body[0] else 1
        return python_ranges(body, begin, body[-1].end_lineno)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and len(node.body) > MIN_UNITS]
    if not classes:
        raise Failed("too few statements")
    largest = max(classes, key=lambda node: node.end_lineno - node.lineno)
    return python_ranges(largest.body[1:], largest.body[0].end_lineno + 1, largest.body[-1].end_lineno)


# Rust

RUST = tree_sitter.Language(tree_sitter_rust.language())


def rust_tree(text):
    return tree_sitter.Parser(RUST).parse(text.encode()).root_node


def walk(node):
    stack = [node]
    while stack:
        one = stack.pop()
        yield one
        stack.extend(reversed(one.children))


def rustfmt(text):
    done = subprocess.run(["rustfmt", "--edition", "2021", "--config", RUSTFMT], input=text.encode(), capture_output=True,
                          timeout=TOOL_SECONDS, cwd="/")
    if not done.stdout:
        raise Failed("rustfmt: " + (done.stderr.decode(errors="replace").strip().splitlines() or ["no output"])[0][:80])
    return done.stdout


def rust_comments(text):
    data = text.encode()
    kept, at = [], 0
    for node in walk(rust_tree(text)):
        if node.type in ("line_comment", "block_comment") and node.start_byte >= at:
            kept.append(data[at : node.start_byte])
            # A comment of documentation takes its line's end with it.
            kept.append(b"\n" if data[node.start_byte : node.end_byte].endswith(b"\n") else b"")
            at = node.end_byte
    kept.append(data[at:])
    return re.sub(rb"\n{3,}", b"\n\n", re.sub(rb"[ \t]+\n", b"\n", b"".join(kept)))


def rust_renamed(text, rng):
    """Parameters and `let` names of each function get others, wherever the function names them."""
    data = text.encode()
    edits = {}
    for function in walk(rust_tree(text)):
        if function.type != "function_item":
            continue
        names = {}
        for node in walk(function):
            if node.type in ("parameter", "let_declaration"):
                pattern = node.child_by_field_name("pattern")
                for part in walk(pattern) if pattern is not None else ():
                    if part.type == "identifier" and part.parent.type not in ("scoped_identifier", "tuple_struct_pattern"):
                        names.setdefault(part.text, fresh_name(rng).encode())
        for node in walk(function):
            if node.text in names and node.start_byte not in edits:
                if node.type == "identifier" and node.parent.type not in ("scoped_identifier", "call_expression", "macro_invocation"):
                    prefix = node.text + b": " if node.parent.type == "shorthand_field_initializer" else b""
                    edits[node.start_byte] = (node.end_byte, prefix + names[node.text])
    if len(edits) < 6:
        raise Failed("too few names")
    out, at = [], 0
    for begin in sorted(edits):
        end, by = edits[begin]
        if begin >= at:
            out += [data[at:begin], by]
            at = end
    return b"".join(out) + data[at:]


def rust_units(text):
    """Line ranges of items after the `use` lines, each with the attributes and comments before it."""
    ranges, begin = [], None
    quiet = ("line_comment", "block_comment", "attribute_item")
    for node in rust_tree(text).children:
        if node.type in ("use_declaration", "mod_item", "inner_attribute_item", "extern_crate_declaration") and node.end_point[0] - node.start_point[0] < 3:
            begin = None
            continue
        if begin is None:
            begin = node.start_point[0] + 1
        if node.type not in quiet:
            last = node.end_point[0] + (1 if node.end_point[1] else 0)
            if ranges and begin <= ranges[-1][1]:
                raise Failed("rust: two items on one line")
            ranges.append((begin, max(begin, last)))
            begin = None
    if len(ranges) < MIN_UNITS:
        raise Failed("too few items")
    return ranges


# What the two have in common


def units(text, extension):
    return python_units(text) if extension == ".py" else rust_units(text)


def reordered(text, extension, rng):
    lines = text.split("\n")
    ranges = units(text, extension)
    order = list(ranges)
    rng.shuffle(order)
    out, at = [], 0
    for (first, last), (other_first, other_last) in zip(ranges, order):
        out += lines[at : first - 1] + lines[other_first - 1 : other_last]
        at = last
    return "\n".join(out + lines[at:]).encode()


def split(text, extension):
    """From the first top-level thing that begins in the second half."""
    lines = text.split("\n")
    ranges = units(text, extension)
    middle = (ranges[0][0] + ranges[-1][1]) / 2
    first = next((first for first, _ in ranges if first >= middle), None)
    if first is None:
        raise Failed("one statement is most of the file")
    last = ranges[-1][1]
    return ("\n".join(lines[first - 1 : last]) + "\n").encode(), (first, last)
