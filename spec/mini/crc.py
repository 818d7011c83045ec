"""CRC-32C, as ``spec/container.md`` has it."""


def crc_of_byte(x):
    for _ in range(8):
        x = x >> 1 ^ (0x82F63B78 if x & 1 else 0)
    return x


CRC = [crc_of_byte(x) for x in range(256)]


def crc32c(data):
    x = 0xFFFFFFFF
    for byte in data:
        x = x >> 8 ^ CRC[(x ^ byte) & 0xFF]
    return x ^ 0xFFFFFFFF
