#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom. Reads the #include lines of all our C files and fails on one that points the wrong way.

usage: check_includes.py [ROOT]      exit 1 and one line for each wrong include
       check_includes.py --self-test

A row names a part, what it may include of the project, and which outside headers. The longest matching folder decides.
"""
import pathlib
import re
import sys
import tempfile

# The C standard library without heap, I/O, clock and locale: what pure logic may use.
PURE = set("assert.h ctype.h errno.h float.h inttypes.h limits.h math.h stdalign.h stdarg.h stdbool.h stddef.h stdint.h "
           "stdnoreturn.h string.h".split())
HOSTED = PURE | {"stdio.h", "stdlib.h"}
PROTOBUF = {"protobuf-c/protobuf-c.h", "google/protobuf-c/protobuf-c.h"}
ANY = None  # any header from outside the project

RULES = {  # folder: (folders of ours that it may include, outside headers)
    "common":        (["common"], PURE),
    "proto":         (["proto", "common"], HOSTED | PROTOBUF),
    "firmware/core": (["firmware/core", "proto", "common"], PURE),
    "firmware/port": (["firmware/port", "firmware/core", "proto", "common"], ANY),
    "firmware/app":  (["firmware", "proto", "common"], ANY),
    "sim":           (["sim", "firmware", "proto", "common"], ANY),
    "sim/fleet":     (["sim", "dtu", "proto", "common"], ANY),
    "dtu/core":      (["dtu/core", "proto", "common"], PURE | PROTOBUF),
    "dtu/port":      (["dtu/port", "dtu/core", "proto", "common"], ANY),
    "dtu/app":       (["dtu", "proto", "common"], ANY),
    "server":        (["server", "proto", "common"], ANY),
    "local/core":    (["local/core", "dtu/core", "proto", "common"], PURE),
    "local/port":    (["local/port", "local/core", "dtu/port", "proto", "common"], ANY),
    "local/app":     (["local", "dtu", "server", "proto", "common"], ANY),
    "tools":         (["tools", "server", "sim", "proto", "common"], ANY),
    "tests":         (["tests", "common", "proto", "firmware", "dtu", "server", "sim", "local", "tools"], ANY),
}
PARTS = {folder.split("/")[0] for folder in RULES}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def inside(path, folders):
    return any(path == f or path.startswith(f + "/") for f in folders)


def rule_of(path):
    fits = [f for f in RULES if inside(path, [f])]
    return RULES[max(fits, key=len)] if fits else None


def resolve(root, source, name):
    """The path in the project that `name` means for `source`, or None when it is an outside header."""
    beside = (source.parent / name).resolve()
    if beside.is_file() and root in beside.parents:
        return beside.relative_to(root).as_posix()
    return name if name.split("/")[0] in PARTS else None  # also headers that the build makes, such as proto/*.pb-c.h


def wrong_includes(root):
    root = root.resolve()
    wrong = []
    for part in sorted(PARTS):
        for source in sorted(p for p in (root / part).rglob("*") if p.suffix in (".c", ".h", ".def") and "node_modules" not in p.parts):
            path = source.relative_to(root).as_posix()
            rule = rule_of(path)
            for _, name in INCLUDE.findall(source.read_text(errors="replace")):
                if rule is None:
                    wrong.append(f"{path}: lies in no folder that has a rule")
                    break
                ours, outside = rule
                target = resolve(root, source, name)
                if target is not None and not inside(target, ours):
                    wrong.append(f"{path}: must not include {target}")
                elif target is None and outside is not ANY and name not in outside:
                    wrong.append(f"{path}: must not include <{name}>")
    return wrong


def self_test():
    """Each line of `bad` must be found, and nothing in `good`."""
    good = {"common/a.c": "<string.h>", "firmware/core/b.c": '"common/a.h"', "dtu/port/c.c": "<sys/socket.h>", "server/d.c": "<libpq-fe.h>",
            "sim/e.c": '"firmware/core/b.h"', "dtu/core/f.c": '"proto/telemetry.pb-c.h"', "tests/unit/g.c": '"server/d.h"'}
    bad = {"common/a.c": ["<stdlib.h>", "<stdio.h>", '"proto/sample.h"'],
           "proto/b.c": ['"server/d.h"', "<sys/types.h>"],
           "firmware/core/c.c": ["<unistd.h>", '"firmware/port/x.h"', '"sim/cell.h"', '"dtu/core/mqtt.h"', '"../port/p.h"'],
           "firmware/app/c.c": ['"sim/cell.h"', '"server/d.h"'],
           "dtu/core/d.c": ["<lwip/tcp.h>", "<mbedtls/ssl.h>", "<time.h>", '"dtu/port/p.h"', '"server/d.h"', '"firmware/core/b.h"'],
           "server/e.c": ['"dtu/core/mqtt.h"', '"firmware/core/b.h"', '"sim/cell.h"']}
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)

        def write(path, lines):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("".join(f"#include {line}\n" for line in lines))

        for path in ("firmware/port/p.h", "firmware/core/b.h"):
            write(path, [])
        for path, line in good.items():
            write(path, [line])
        assert wrong_includes(root) == [], wrong_includes(root)
        for path, lines in bad.items():
            write(path, lines)
            found = wrong_includes(root)
            assert len(found) == len(lines), f"{path}: {lines} gave {found}"
            write(path, [])
    print("check_includes: the rules can fail")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    wrong = wrong_includes(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    print("\n".join(wrong) or "check_includes: every include points the right way")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
