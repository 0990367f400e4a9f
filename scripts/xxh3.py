"""XXH3, 64 bits, seed 0, of more than 16 bytes: from the published specification, for the golden files."""
import struct

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
    "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb"
    "170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)
M32 = (1 << 32) - 1
M64 = (1 << 64) - 1
PRIME32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
PRIME64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
PRIME_MX1 = 0x165667919E3779F9
STRIPES = (len(SECRET) - 64) // 8


def words(data, at, count):
    return struct.unpack_from("<%dQ" % count, data, at)


def fold(left, right):
    product = left * right
    return (product & M64) ^ (product >> 64)


def mix16(data, at, secret_at):
    (low, high), (key_low, key_high) = words(data, at, 2), words(SECRET, secret_at, 2)
    return fold(low ^ key_low, high ^ key_high)


def avalanche(value):
    value &= M64
    value ^= value >> 37
    value = value * PRIME_MX1 & M64
    return value ^ value >> 32


def to_128(data):
    last, total = len(data) - 16, len(data) * PRIME64[0]
    for number in reversed(range((len(data) - 1) // 32 + 1)):
        total += mix16(data, 16 * number, 32 * number) + mix16(data, last - 16 * number, 32 * number + 16)
    return avalanche(total)


def to_240(data):
    total = len(data) * PRIME64[0] + sum(mix16(data, 16 * n, 16 * n) for n in range(8))
    total = avalanche(total)
    total += sum(mix16(data, 16 * n, 16 * (n - 8) + 3) for n in range(8, len(data) // 16))
    return avalanche(total + mix16(data, len(data) - 16, 136 - 17))


def stripe(lanes, data, at, secret_at):
    values, keys = words(data, at, 8), words(SECRET, secret_at, 8)
    for n in range(8):
        keyed = values[n] ^ keys[n]
        lanes[n ^ 1] = lanes[n ^ 1] + values[n] & M64
        lanes[n] = lanes[n] + (keyed & M32) * (keyed >> 32) & M64


def scramble(lanes):
    for n, key in enumerate(words(SECRET, len(SECRET) - 64, 8)):
        lanes[n] = (lanes[n] ^ lanes[n] >> 47 ^ key) * PRIME32[0] & M64


def long(data):
    lanes = [PRIME32[2], *PRIME64[:4], PRIME32[1], PRIME64[4], PRIME32[0]]
    for number in range((len(data) - 1) // 64):
        stripe(lanes, data, 64 * number, number % STRIPES * 8)
        if number % STRIPES == STRIPES - 1:
            scramble(lanes)
    stripe(lanes, data, len(data) - 64, len(SECRET) - 64 - 7)
    total = len(data) * PRIME64[0]
    for n, (low, high) in enumerate(zip(*[iter(words(SECRET, 11, 8))] * 2)):
        total += fold(lanes[2 * n] ^ low, lanes[2 * n + 1] ^ high)
    return avalanche(total)


def xxh3(data):
    assert len(data) > 16, "a row has 16 bytes and a value"
    return to_128(data) if len(data) <= 128 else to_240(data) if len(data) <= 240 else long(data)
