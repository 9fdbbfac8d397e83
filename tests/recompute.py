#!/usr/bin/env python3
"""Recomputes an excerpt match from the documentation of `winnow/1` alone: recompute.py ORIGINAL COPY

Prints, as JSON, how many distinct fingerprints ORIGINAL and COPY have, how many both have, and for each of those the
line on which its first place begins, in either file. Texts in UTF-8 without a licence header; nothing but Python's standard library.
"""
import json
import re
import sys

MASK, GRAM, WINDOW = (1 << 64) - 1, 30, 64


def mix(x):
    for _ in range(2):
        x = (x ^ x >> 32) * 0xD6E8FEB86659FD93 & MASK
    return x ^ x >> 32


def rotate(x, bits):
    return (x << bits | x >> (64 - bits)) & MASK if bits else x


def fingerprints(text):
    left_out = {found.start() for found in re.finditer(rb"(?<=\\).", text, re.S)}
    for found in re.finditer(rb"&(?:amp|lt|gt|quot|apos|nbsp|#39|#x27);", text):
        left_out.update(range(found.start(), found.end()))
    chars = [(at, byte | 32 if byte > 64 else byte) for at, byte in enumerate(text)
             if chr(byte).isalnum() and byte < 128 and at not in left_out]
    runs = []
    for first in range(len(chars) - GRAM + 1):
        value = 0
        for i, (_, char) in enumerate(chars[first:first + GRAM], 1):
            value ^= rotate(mix(char + 1), GRAM - i)
        runs.append((value * 0x9E3779B97F4A7C15 & MASK, chars[first][0]))
    found = {}
    for first in range(max(1, len(runs) - WINDOW + 1) if runs else 0):
        window = runs[first:first + WINDOW]
        value, place = min(window, key=lambda run: (run[0], -run[1]))
        found.setdefault(value, 1 + text.count(b"\n", 0, place))
    return found


if __name__ == "__main__":
    original, copy = (fingerprints(open(path, "rb").read()) for path in sys.argv[1:])
    shared = sorted((original[value], copy[value]) for value in original.keys() & copy.keys())
    print(json.dumps({"original": len(original), "copy": len(copy), "shared": len(shared), "lines": shared}))
