#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Mutation run over the safety modules: change one operator at a time, and see which of the unit tests notice.

usage: mutate.py [--build DIR] [--jobs N] [--show] [FILE...]     DIR is a build of the preset host, default build/host

Prints one line for each module and the share of mutants caught; exit 1 when it is below 95 %. A mutant that does not compile is not counted.
A test that takes longer than 20 s has caught its mutant.
"""
import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = {
    "firmware/core/alarm.c": ["alarm", "limits", "biu", "reaction"],
    "firmware/core/contactor.c": ["contactor", "random", "biu", "reaction"],
    "firmware/core/quantities.c": ["limits", "biu", "reaction", "random"],
    "firmware/core/key_data.c": ["key_data", "key_store"],
    "firmware/app/key_store.c": ["key_store"],
}
SWAPS = [(">=", ">"), ("<=", "<"), (" > ", " >= "), (" < ", " <= "), ("==", "!="), ("!=", "=="), ("&&", "||"), ("||", "&&"), (" + ", " - "), (" - ", " + ")]
SKIP = re.compile(r"^\s*(#|/\*|\*|//|for \(|enum \{)")


def mutants(text):
    """(line number, what, mutated text) for each operator that stands alone."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if SKIP.match(line):
            continue
        code = line.split("/*")[0]
        for old, new in SWAPS:
            for found in re.finditer(re.escape(old), code):
                before, after = code[: found.start()], code[found.end():]
                if before.count('"') % 2 or (old in "<= >=" and before.endswith((old[0], "="))) or after.startswith(("=", ">", "<")):
                    continue
                changed = lines[:number] + [before + new + after] + lines[number + 1:]
                yield number + 1, f"{old.strip()} -> {new.strip()}: {line.strip()}", "\n".join(changed)


def run(command, cwd, seconds=20):
    try:
        return subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=seconds,
                              env={"PATH": "/usr/bin:/bin", "CELLWARDEN_RANDOM_STEPS": "300000", "CELLWARDEN_RANDOM_SEED": "1"}).returncode
    except subprocess.TimeoutExpired:
        return 1


def is_caught(build, path, text):
    """None when it does not compile."""
    with tempfile.TemporaryDirectory() as folder:
        source, changed = pathlib.Path(folder, "mutant.c"), pathlib.Path(folder, "mutant.o")
        source.write_text(text)
        flags = ["-std=c11", "-O1", "-D_POSIX_C_SOURCE=200809L", f"-I{ROOT}", f"-I{build}"]
        if run(["cc", *flags, "-c", str(source), "-o", str(changed)], ROOT):
            return None
        for test in TESTS[path]:
            program = pathlib.Path(folder, test)
            libs = [build / "tests/unit/firmware/libcw_firmware_rig.a", build / "firmware/libcw_firmware_app.a", build / "firmware/libcw_firmware.a",
                    build / "proto/libcw_proto.a", build / "common/libcw_common.a"]
            objects = build / f"tests/unit/firmware/CMakeFiles/test_{test}.dir/test_{test}.c.o"
            if run(["cc", "-o", str(program), str(objects), str(changed), *map(str, libs), "-lcunit", "-lm"], ROOT):
                sys.exit(f"mutate: {test} does not link; build the preset first")
            if run([str(program)], ROOT):
                return True
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/host")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", action="store_true", help="name the mutants that nobody noticed")
    parser.add_argument("files", nargs="*", default=list(TESTS))
    args = parser.parse_args()
    build, caught, counted = args.build.resolve(), 0, 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for path in args.files:
            made = list(mutants((ROOT / path).read_text()))
            results = list(pool.map(lambda m: is_caught(build, path, m[2]), made))
            known = [r for r in results if r is not None]
            print(f"{path}: {sum(known)} of {len(known)} caught", flush=True)
            caught, counted = caught + sum(known), counted + len(known)
            for (number, what, _), result in zip(made, results):
                if args.show and result is False:
                    print(f"  {path}:{number}: {what}", flush=True)
    print(f"in all {caught} of {counted}: {100 * caught / counted:.1f} %")
    return 0 if caught >= 0.95 * counted else 1


if __name__ == "__main__":
    sys.exit(main())
