#!/usr/bin/python3
"""embed.py OBJECT OUT.c NAME: the bytes of a file as a C array NAME, with NAME_size."""

import sys


def main():
    source, out, name = sys.argv[1:]
    with open(source, "rb") as file:
        data = file.read()
    rows = [", ".join(str(byte) for byte in data[i:i + 24]) for i in range(0, len(data), 24)]
    with open(out, "w", encoding="ascii") as file:
        file.write(f'#include "drivers/xdp/object.h"\n\nconst size_t {name}_size = {len(data)};\n'
                   f"const unsigned char {name}[{len(data)}] = {{\n\t" + ",\n\t".join(rows) + "};\n")


main()
