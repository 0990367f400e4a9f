#!/usr/bin/env python3
"""Reads the golden files of schema version 1 by docs/format/event.md alone.

A second reader, written from the page and sharing no code with the first: what it reads
differently, the page does not say.
"""
import datetime
import pathlib
import re
import struct
import sys

from xxh3 import xxh3

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/format/event.md"
GOLDEN = ROOT / "crates/trailkeep-event/tests/golden/v1"
SECTIONS = "meta actor target client request response changes data".split()
QUOTED = ("id", "text", "enum")
MASK64 = (1 << 64) - 1
MASK37 = (1 << 37) - 1


def fields_of_page():
    row = re.compile(r"\| (\d+) \| `(\w+)` \| (\w+) \| (\w+) \| .* \|$", re.M)
    found = {int(n): (name, section, kind) for n, name, section, kind in row.findall(PAGE.read_text())}
    assert sorted(found) == list(range(68)), "the page's table of fields"
    return found


def quoted(text):
    short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
    escape = lambda c: short.get(ord(c), "\\u%04x" % ord(c) if ord(c) < 32 else c)
    return '"' + "".join(map(escape, text)) + '"'


def time_of(micros):
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=micros)
    fraction = micros % 1_000_000
    digits = "%03d" % (fraction // 1000) if fraction % 1000 == 0 else "%06d" % fraction
    return "%04d-%02d-%02dT%02d:%02d:%02d.%sZ" % (*at.timetuple()[:6], digits)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        assert self.at <= len(self.data), "ends inside a value"
        return self.data[self.at - n : self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def value(self, kind):
        if kind == "int":
            raw = self.varint()
            return str((raw >> 1) ^ -(raw & 1))
        if kind == "bool":
            return ("false", "true")[self.take(1)[0]]
        if kind == "time":
            return '"%s"' % time_of(struct.unpack("<q", self.take(8))[0])
        text = self.take(self.varint()).decode()
        return quoted(text) if kind in QUOTED else text


def sections_of(row, fields):
    reader = Reader(row)
    presence = int.from_bytes(reader.take(16), "little")
    members = {section: [] for section in SECTIONS}
    for number in range(128):
        if presence >> number & 1:
            name, section, kind = fields[number]
            members[section].append((name, reader.value(kind)))
    assert reader.at == len(row), "bytes after the last value"
    return {
        section: "{" + ",".join('"%s":%s' % member for member in sorted(found)) + "}"
        for section, found in members.items()
        if found
    }


def siphash(key, message):
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(x, n):
        return (x << n | x >> (64 - n)) & MASK64

    def rounds(n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & MASK64
            v[1] = turn(v[1], 13) ^ v[0]
            v[0] = turn(v[0], 32)
            v[2] = (v[2] + v[3]) & MASK64
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK64
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK64
            v[1] = turn(v[1], 17) ^ v[2]
            v[2] = turn(v[2], 32)

    padded = message + bytes(-(len(message) + 1) % 8) + bytes([len(message) & 255])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 255
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def id_of(key, millis, partition, frame, ordinal):
    packed = partition << 70 | frame << 22 | ordinal
    left, right = packed >> 37, packed & MASK37
    for number in range(6):
        hashed = siphash(key, bytes([number]) + struct.pack("<Q", right))
        left, right = right, left ^ (hashed & MASK37)
    free = left << 37 | right
    bits = millis << 80 | 7 << 76 | free >> 62 << 64 | 2 << 62 | free & ((1 << 62) - 1)
    text = "%032x" % bits
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def check_events(fields):
    names = sorted(GOLDEN.glob("*.json"))
    for name in names:
        first, *rest = name.with_suffix(".expected").read_text(encoding="utf-8").split("\n")[:-1]
        sections = sections_of(bytes.fromhex(first.removeprefix("row ")), fields)
        assert dict(line.split(" ", 1) for line in rest) == sections, name
    return len(names)


def check_batch(fields):
    text = (GOLDEN / "batch.expected").read_text().strip()
    reader = Reader(bytes.fromhex(text.removeprefix("batch ")))
    version, _created_at, n_rows = struct.unpack("<BqI", reader.take(13))
    assert version == 2, "the batch's version"
    for _ in range(n_rows):
        length, checksum = struct.unpack("<IQ", reader.take(12))
        row = reader.take(length)
        assert xxh3(row) == checksum, "a row's checksum"
        sections_of(row, fields)
    assert reader.at == len(reader.data), "bytes after the last row"
    return n_rows


def check_ids():
    lines = (GOLDEN / "ids.expected").read_text().splitlines()
    for line in lines:
        key, at, position, expected = line.split()
        at = datetime.datetime.fromisoformat(at.replace("Z", "+00:00"))
        millis = int(at.replace(microsecond=0).timestamp()) * 1000 + at.microsecond // 1000
        numbers = map(int, position.removeprefix("p").split("-"))
        assert id_of(bytes.fromhex(key), millis, *numbers) == expected, line
    return len(lines)


def main():
    fields = fields_of_page()
    print("%d events, %d rows of a batch, %d ids read" % (check_events(fields), check_batch(fields), check_ids()))


if __name__ == "__main__":
    sys.exit(main())
