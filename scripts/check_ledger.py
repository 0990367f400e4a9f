#!/usr/bin/env python3
"""Makes the ledger's golden vectors again by docs/format/ledger.md alone, sharing no code with it."""
import base64, hashlib, hmac, pathlib, re

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "crates/trailkeep-merkle/tests/golden/v1/ledger.txt"
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
B = (15112221349535400772501151409588531511454012693041857206046113283949847762202, 4 * pow(5, P - 2, P) % P)
sha = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
be = lambda number, size: number.to_bytes(size, "big")


def add(p, q):  # Ed25519 as RFC 8032 defines it: slow, short
    t = D * p[0] * q[0] * p[1] * q[1]
    return ((p[0] * q[1] + q[0] * p[1]) * pow(1 + t, P - 2, P) % P, (p[1] * q[1] + p[0] * q[0]) * pow(1 - t, P - 2, P) % P)

def times(n, p):
    q = (0, 1)
    for bit in bin(n)[2:]:
        q = add(q, q)
        q = add(q, p) if bit == "1" else q
    return q

point = lambda p: (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")
scalar = lambda data: int.from_bytes(hashlib.sha512(data).digest(), "little")

def key(seed):
    half = hashlib.sha512(seed).digest()
    n = int.from_bytes(half[:32], "little") & (1 << 254) - 8 | 1 << 254
    return n, half[32:], point(times(n, B))

def sign(seed, text):
    n, prefix, public = key(seed)
    r = scalar(prefix + text) % L
    big_r = point(times(r, B))
    return big_r + ((r + scalar(big_r + public + text) * n) % L).to_bytes(32, "little")

def name(origin, kind, public):
    return sha(origin.encode(), b"\n", kind, public)[:4], base64.b64encode(kind + public).decode()

def log_seed(master, origin):  # HKDF without salt
    return hmac.digest(hmac.digest(bytes(32), master, "sha256"), b"trailkeep/v1/log-key\0" + origin.encode() + b"\1", "sha256")

def vkey(origin, kind, seed):
    number, text = name(origin, kind, key(seed)[2])
    return f"{origin}+{number.hex()}+{text}"

def node(seed, k, depth):  # so many steps down the way to leaf k
    for step in range(depth):
        seed = sha(b"trailkeep/v1/ggm\0", seed)[16 * (k >> 15 - step & 1) :][:16]
    return seed

def nodes(seed, gone, first=0, depth=0):
    inside = [k for k in gone if first <= k < first + (1 << 16 - depth)]
    if not inside:
        return bytes([depth]) + be(first, 2) + node(seed, first, depth)
    return b"" if depth == 16 else nodes(seed, gone, first, depth + 1) + nodes(seed, gone, first + (1 << 15 - depth), depth + 1)

def leaf(secret, kind, at, id, *sections):
    digests, mask = b"", 0
    for number, data in (section.split(":", 1) for section in sections):
        n = int(number)
        salt = sha(b"trailkeep/v1/salt\0", secret, bytes([n // 2]))[16 * (n % 2) :][:16]
        digests, mask = digests + sha(b"trailkeep/v1/section\0", bytes([n]), salt, data.encode()), mask | 1 << n
    event = sha(b"trailkeep/v1/event\0", be(mask, 2), digests)
    record = b"TKL1" + bytes([int(kind), 0]) + be(mask, 2) + be(int(at), 8) + bytes.fromhex(id) + event
    return record.hex() + " " + sha(b"\0", record).hex()

def root(n, first=0):
    if n < 2:
        return sha(b"\0", be(first, 8)) if n else sha()
    k = 1 << (n - 1).bit_length() - 1
    return sha(b"\1", root(k, first), root(n - k, first + k))

def made(kind, *args):
    raw = [bytes.fromhex(arg) if re.fullmatch("([0-9a-f]{32}){1,2}", arg) else arg for arg in args]
    if kind == "log_id":
        return sha(b"trailkeep/v1/log\0", raw[0], args[1].encode())[:8].hex()
    if kind == "log_key":
        return vkey(args[1], b"\1", log_seed(raw[0], args[1]))
    if kind == "secret":
        return node(raw[0], int(args[1]), 16).hex()
    if kind == "nodes":
        return nodes(raw[0], [int(k) for k in args[1].split(",")]).hex()
    if kind == "leaf":
        return leaf(raw[0], *args[1:])
    return base64.b64encode(root(int(args[0]))).decode()

def main():
    lines, note = GOLDEN.read_text(encoding="utf-8").split("note ")
    count = 0
    for line in lines.splitlines():
        told, expected = line.split(" = ")
        assert made(*told.split(" ")) == expected, line
        count += 1
    told, text = note.split(" =\n")
    seed, at, witness = told.split(" ")
    body, signatures = text.split("\n\n")[0] + "\n", re.findall("— (.*) (.*)\n", text)
    origin = body.split("\n")[0]
    assert witness == vkey("witness.example.com", b"\4", bytes.fromhex(seed)) and body.split("\n")[2] == made("root", "1000")
    for who, kind, secret, signed, before in (
        (origin, b"\1", log_seed(b"\x22" * 32, origin), body, b""),
        ("witness.example.com", b"\4", bytes.fromhex(seed), f"cosignature/v1\ntime {at}\n{body}", be(int(at), 8)),
    ):
        number = name(who, kind, key(secret)[2])[0]
        line = base64.b64encode(number + before + sign(secret, signed.encode())).decode()
        assert (who, line) in signatures, who
    print("%d vectors of the ledger and a note made again" % count)

main()
