#!/usr/bin/env python3
"""Reads a signature set from its documentation (src/signature/format.rs) alone: read_set.py SET [TEXT]

Prints, as JSON, the header, the sections, and of each tier of fingerprints its form, rows, and the places and lines of each
file. With TEXT also the values under which the fingerprints of it are stored in winnow/1 of this set, and their lines: the
set must have a derived key. Nothing but Python's standard library, and recompute.py beside this file.
"""
import json
import struct
import sys

from recompute import MASK, fingerprints

TIERS = ("atoms/1", "grams/1", "pieces/1", "shape/1", "winnow/1")
FORMS = ("places", "files", "frequencies")
VALUE_BITS = 40


def blake3_keyed(key, message):
    """The BLAKE3 keyed hash, 32 bytes, of a message of at most one block of 64 bytes."""
    iv = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A)
    chunk_start, chunk_end, root, keyed = 1, 2, 8, 16
    words = list(struct.unpack("<16I", message.ljust(64, b"\0")))
    cv = struct.unpack("<8I", key)
    v = [*cv, *iv, 0, 0, len(message), chunk_start | chunk_end | root | keyed]

    def turn(x, bits):
        return (x >> bits | x << (32 - bits)) & 0xFFFFFFFF

    def quarter(a, b, c, d, x, y):
        v[a] = (v[a] + v[b] + x) & 0xFFFFFFFF
        v[d] = turn(v[d] ^ v[a], 16)
        v[c] = (v[c] + v[d]) & 0xFFFFFFFF
        v[b] = turn(v[b] ^ v[c], 12)
        v[a] = (v[a] + v[b] + y) & 0xFFFFFFFF
        v[d] = turn(v[d] ^ v[a], 8)
        v[c] = (v[c] + v[d]) & 0xFFFFFFFF
        v[b] = turn(v[b] ^ v[c], 7)

    for _ in range(7):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i, words[2 * i], words[2 * i + 1])
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, words[8 + 2 * i], words[9 + 2 * i])
        words = [words[i] for i in (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)]
    return struct.pack("<8I", *(v[i] ^ v[i + 8] for i in range(8)))


def siphash13(key, message):
    k0, k1 = struct.unpack("<2Q", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(x, bits):
        return (x << bits | x >> (64 - bits)) & MASK

    def rounds(count):
        for _ in range(count):
            v[0] = (v[0] + v[1]) & MASK
            v[1] = turn(v[1], 13) ^ v[0]
            v[0] = turn(v[0], 32)
            v[2] = (v[2] + v[3]) & MASK
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK
            v[1] = turn(v[1], 17) ^ v[2]
            v[2] = turn(v[2], 32)

    whole = len(message) // 8 * 8
    words = list(struct.unpack(f"<{whole // 8}Q", message[:whole]))
    words.append(int.from_bytes(message[whole:], "little") | (len(message) & 255) << 56)
    for word in words:
        v[3] ^= word
        rounds(1)
        v[0] ^= word
    v[2] ^= 255
    rounds(3)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def read_header(data):
    (magic, major, minor, header_bytes, file_bytes, flags, sections, files, first, total, first_bytes, work, release, mode,
     key_id, key) = struct.unpack_from("<8sHHIQIIIIQQHHB3x16s32s", data)
    assert magic == b"STRNDSET" and major == 1 and file_bytes == len(data)
    names = data[112:112 + work + release]
    at = 112 + (work + release + 7) // 8 * 8
    table = {}
    for row in range(sections):
        name, place, length, _ = struct.unpack_from("<32sQQ32s", data, at + 80 * row)
        table[name.rstrip(b"\0").decode()] = (place, length)
    assert at + 80 * sections + 32 == header_bytes
    return {"flags": flags, "files": files, "work": names[:work].decode(), "release": names[work:].decode(),
            "derived": mode == 1}, key, table


def read_index(body):
    rows, files, bits, posting_bits, form = struct.unpack_from("<IIBBB5x", body)
    form, at = FORMS[form], 16
    directory = struct.unpack_from(f"<{(1 << bits) + 1}I", body, at)
    at = (at + 4 * len(directory) + 7) // 8 * 8
    row_bits = VALUE_BITS - bits + posting_bits
    packed = int.from_bytes(body[at:at + (rows * row_bits + 7) // 8], "little")
    found = []
    for prefix, (first, stop) in enumerate(zip(directory, directory[1:])):
        for row in range(first, stop):
            number = packed >> row * row_bits & (1 << row_bits) - 1
            rest, posting = number >> posting_bits, number & (1 << posting_bits) - 1
            found.append((prefix << VALUE_BITS - bits | rest, posting))
    assert len(found) == rows and found == sorted(found)
    at += ((rows * row_bits + 7) // 8 + 7) // 8 * 8 + 16
    read = {"form": form, "rows": found}
    if form != "frequencies":
        read["starts"] = struct.unpack_from(f"<{files + 1}I", body, at)
        at += 4 * (files + 1)
    if form == "places":
        line_starts = struct.unpack_from(f"<{files + 1}I", body, at)
        at += 4 * (files + 1)
        lines = [read_lines(body[at + a:at + b]) for a, b in zip(line_starts, line_starts[1:])]
        read["lines"] = lines
        at += line_starts[-1]
    assert (at + 7) // 8 * 8 == len(body)
    return read


def read_lines(data):
    line, at, found = 1, 0, []

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        byte = data[at]
        at += 1
        delta, spans = (number(), number()) if byte >> 4 == 15 else (byte >> 4, byte & 15)
        line += delta
        found.append((line, line + spans))
    return found


def main(path, text=None):
    with open(path, "rb") as file:
        data = file.read()
    said, key, table = read_header(data)
    said["sections"] = sorted(table)
    said["tiers"] = {tier: read_index(data[at:at + length])
                     for tier, (at, length) in table.items() if tier in TIERS}
    if text:
        tier_key = blake3_keyed(key, b"prints key\0winnow/1")[:16]
        with open(text, "rb") as file:
            prints = fingerprints(file.read())
        if said["flags"] >> 17 & 1:
            prints = {value: line for value, line in prints.items() if (value * 0xD6E8FEB86659FD93 & MASK) >> 56 < 85}
        said["winnow"] = sorted((siphash13(tier_key, value.to_bytes(8, "little")) >> 64 - VALUE_BITS, line)
                                for value, line in prints.items())
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
