#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Mutation run over the safety modules: break one thing at a time, and see whether the unit tests notice.

usage: mutate.py [--build DIR] [--jobs N] [--sample N [--seed S]] [--json FILE] [MODULE...]
       DIR is a build of the preset host, default build/host; MODULE is a name such as core/alarm, default all of safety_modules.py

Operators: flip a comparison, move it by one, drop a term of && or ||, negate a condition, change a constant, delete a statement, swap + and -.
A mutant that does not compile, or compiles to the same machine code, is not counted. A test that hangs has caught its mutant. Mutants that cannot be
told apart by anything a caller sees stand, each with its reason, in equivalent_mutants.txt and are not counted; a row there that fits nothing is an
error. Prints a row for each module, then every survivor. Exit 1 when less than 95 % are caught.
"""
import argparse
import concurrent.futures
import dataclasses
import hashlib
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

from safety_modules import modules

ROOT = pathlib.Path(__file__).resolve().parents[2]
WANTED = 0.95
FLIP = {">=": "<", "<=": ">", ">": "<=", "<": ">=", "==": "!=", "!=": "=="}
EDGE = {">=": ">", "<=": "<", ">": ">=", "<": "<="}
COMPARISON = re.compile(r"(?<![-<>=!])(>=|<=|==|!=|>|<)(?![<>=])")
NUMBER = re.compile(r"(?<![\w.])(\d+)(?=[uUlL]*\b)(?![xX.])")
STATEMENT = re.compile(r"^\s+(?!return\b|break\b|continue\b|case\b|default\b|goto\b|else\b|static\b|const\b|struct\b|enum\b|bool\b|u?int\d+_t\b|size_t\b|unsigned\b|int\b)"
                       r"[\w*(+-][^{}]*;\s*$")
DECLARATION = re.compile(r"^\s*(static |const |struct |enum |bool |u?int\d+_t |size_t |unsigned |int )*[\w* ]+\[[^]]*\];")


@dataclasses.dataclass(frozen=True)
class Mutant:
    path: str
    line: int  # from 1
    operator: str
    was: str
    text: str  # the whole file


def blanked(text):
    """The same length with comments, strings, characters and preprocessor lines blank, so that positions stay."""
    def blank(found):
        return re.sub(r"[^\n]", " ", found.group(0))
    text = re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.S)
    return re.sub(r"^[ \t]*(#|_Static_assert).*?(?<!\\)$", blank, text, flags=re.S | re.M)


def term_ends(code, at):
    """Where the operands left and right of the && or || at `at` begin and end: as far as brackets, commas and looser operators."""
    loose = ("||", "?", ":", ";", ",", "=", "{", "}", "return") if code[at:at + 2] == "&&" else ("?", ":", ";", ",", "=", "{", "}", "return")
    same = code[at:at + 2]

    def stops(i):
        if code.startswith(same, i):
            return True
        for word in loose:
            if code.startswith(word, i):
                return word != "=" or (code[i - 1] not in "=!<>" and code[i + 1] != "=")
        return False

    depth, left = 0, at
    while left > 0:
        c = code[left - 1]
        if c in ")]":
            depth += 1
        elif c in "([":
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and (stops(left - 1) or (left > 1 and code[left - 2:left] in ("&&", "||") and stops(left - 2))
                             or code[max(0, left - 6):left] == "return"):
            break
        left -= 1
    depth, right = 0, at + 2
    while right < len(code):
        c = code[right]
        if c in "([":
            depth += 1
        elif c in ")]":
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and stops(right):
            break
        right += 1
    return left, right


def condition_ends(code, at):
    """Of the bracket that opens at `at`: where it closes."""
    depth = 0
    for i in range(at, len(code)):
        depth += (code[i] == "(") - (code[i] == ")")
        if depth == 0:
            return i
    return at


def mutants(path, text):
    """Every mutant of one file."""
    code = blanked(text)
    starts = [0]
    for i, c in enumerate(text):
        if c == "\n":
            starts.append(i + 1)
    lines = text.split("\n")
    in_for = [(m.end() - 1, condition_ends(code, m.end() - 1)) for m in re.finditer(r"\bfor \(", code)]

    def line_of(at):
        return text.count("\n", 0, at) + 1

    def made(at, end, new, operator):
        number = line_of(at)
        return Mutant(path, number, operator, lines[number - 1].strip(), text[:at] + new + text[end:])

    for found in COMPARISON.finditer(code):
        old = found.group(1)
        if old in "<>" and code[found.start() - 1] != " ":
            continue
        yield made(found.start(), found.end(), FLIP[old], f"{old} becomes {FLIP[old]}")
        if old in EDGE and not any(a < found.start() < b for a, b in in_for):
            yield made(found.start(), found.end(), EDGE[old], f"{old} becomes {EDGE[old]}")
    for found in re.finditer(r"&&|\|\|", code):
        left, right = term_ends(code, found.start())
        neutral = " true " if found.group(0) == "&&" else " false "
        yield made(left, found.start(), neutral, f"term left of {found.group(0)} dropped")
        yield made(found.end(), right, neutral.rstrip(), f"term right of {found.group(0)} dropped")
    for found in re.finditer(r"\b(if|while) \(", code):
        end = condition_ends(code, found.end() - 1)
        yield made(found.end(), end, f"!({text[found.end():end]})", "condition negated")
    for found in NUMBER.finditer(code):
        if DECLARATION.match(lines[line_of(found.start()) - 1]):
            continue
        yield made(found.start(1), found.end(1), str(int(found.group(1)) + 1), f"{found.group(1)} becomes {int(found.group(1)) + 1}")
    for found in re.finditer(r"\b(true|false)\b", code):
        new = "false" if found.group(1) == "true" else "true"
        yield made(found.start(), found.end(), new, f"{found.group(1)} becomes {new}")
    for found in re.finditer(r"(?<= )([+-])(?= )|(?<= )([+-])(?==)", code):
        new = "-" if found.group(0) == "+" else "+"
        yield made(found.start(), found.end(), new, f"{found.group(0)} becomes {new}")
    code_lines = code.split("\n")
    for number, line in enumerate(code_lines):
        before = next((l for l in reversed(code_lines[:number]) if l.strip()), "")
        if STATEMENT.match(line) and re.search(r"[;{})]\s*$|\belse\s*$", before):
            yield made(starts[number], starts[number] + len(line), ";", "statement deleted")


class Run:
    def __init__(self, build):
        self.build, self.took = build, {}
        archives = [str(p) for folder in ("firmware", "proto", "common") for p in sorted((build / folder).glob("*.a"))]
        self.libs = [str(build / "tests/unit/firmware/libcw_firmware_rig.a"), "-Wl,--start-group", *archives, "-Wl,--end-group", "-lcunit", "-lm"]
        self.environment = {"PATH": "/usr/bin:/bin", "CELLWARDEN_RANDOM_STEPS": "100000", "CELLWARDEN_RANDOM_SEED": "1"}
        self.originals = {}

    def call(self, command, seconds):
        try:
            return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=seconds, env=self.environment).returncode
        except subprocess.TimeoutExpired:
            return 1

    def objects_of(self, test):
        return [str(p) for p in (self.build / f"tests/unit/firmware/CMakeFiles/test_{test}.dir").rglob("*.o")]

    def compile(self, folder, text):
        """The object file, or None when it does not compile."""
        source, out = pathlib.Path(folder, "mutant.c"), pathlib.Path(folder, "mutant.o")
        source.write_text(text)
        flags = ["-std=c11", "-O1", "-DNDEBUG", "-w", "-D_POSIX_C_SOURCE=200809L", f"-I{ROOT}", f"-I{self.build}"]
        return None if self.call(["cc", *flags, "-c", str(source), "-o", str(out)], 60) else out

    def code_of(self, out):
        """A fingerprint of what the object does: its code and data, without names and lines."""
        plain = out.with_suffix(".bin")  # a plain file: objcopy replaces its output, whatever that is
        if self.call(["objcopy", "--strip-all", "--remove-section=.comment", "--remove-section=.note*", str(out), str(plain)], 60):
            sys.exit("mutate: objcopy fails")
        return hashlib.sha256(plain.read_bytes()).digest()

    def measure(self, tests):
        """How long each test takes when nothing is broken; it must pass."""
        for test in tests:
            program, began = self.build / f"tests/test_{test}", time.monotonic()
            if not program.is_file() or self.call([str(program)], 120):
                sys.exit(f"mutate: tests/test_{test} is missing or fails; build the preset first")
            self.took[test] = time.monotonic() - began

    def judge(self, mutant, tests):
        """True caught, False survived, None not counted."""
        with tempfile.TemporaryDirectory() as folder:
            out = self.compile(folder, mutant.text)
            if out is None or self.code_of(out) == self.originals[mutant.path]:
                return None
            for test in tests:
                program = pathlib.Path(folder, test)
                if self.call(["cc", "-o", str(program), *self.objects_of(test), str(out), *self.libs], 60):
                    sys.exit(f"mutate: {test} does not link")
                if self.call([str(program)], 3 + 6 * self.took[test]):
                    return True
        return False

    def original(self, path):
        with tempfile.TemporaryDirectory() as folder:
            out = self.compile(folder, (ROOT / path).read_text())
            if out is None:
                sys.exit(f"mutate: {path} does not compile")
            self.originals[path] = self.code_of(out)


def equivalents():
    """{(path, operator, line of code): reason}"""
    table = {}
    for number, line in enumerate((ROOT / "tests/tools/equivalent_mutants.txt").read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split(" ## ")]
        if len(fields) != 4 or not all(fields):
            sys.exit(f"equivalent_mutants.txt:{number}: needs path ## operator ## code ## reason")
        table[tuple(fields[:3])] = fields[3]
    return table


def chosen(args, available):
    wanted = [f"firmware/{name}.c" for name in args.modules] or list(available)
    unknown = [path for path in wanted if path not in available]
    if unknown:
        sys.exit(f"mutate: no safety module {', '.join(unknown)}")
    return wanted


def print_report(wanted, results):
    total = [0, 0]
    for path in wanted:
        known = [caught for mutant, caught in results if mutant.path == path and caught is not None]
        total = [total[0] + sum(known), total[1] + len(known)]
        print(f"{path:<36} {sum(known):>5} of {len(known):>5}  {100 * sum(known) / max(1, len(known)):6.1f} %")
    for mutant, caught in results:
        if caught is False:
            print(f"survived: {mutant.path}:{mutant.line}: {mutant.operator}: {mutant.was}")
    print(f"in all {total[0]} of {total[1]} caught: {100 * total[0] / max(1, total[1]):.1f} %")
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/host")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--sample", type=int, help="only so many, drawn by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("modules", nargs="*")
    args = parser.parse_args()
    available, known = modules(), equivalents()
    wanted, run = chosen(args, available), Run(args.build.resolve())

    every = [mutant for path in wanted for mutant in mutants(path, (ROOT / path).read_text())]
    keys = {(m.path, m.operator, m.was) for m in every}
    stale = [row for row in known if row[0] in wanted and row not in keys]
    if stale:
        sys.exit("equivalent_mutants.txt: these rows fit nothing:\n  " + "\n  ".join(" ## ".join(row) for row in stale))
    every = [m for m in every if (m.path, m.operator, m.was) not in known]
    if args.sample and args.sample < len(every):
        every = sorted(random.Random(args.seed).sample(every, args.sample), key=lambda m: (m.path, m.line))
    run.measure(sorted({test for path in wanted for test in available[path]}))
    for path in wanted:
        run.original(path)
    print(f"{len(every)} mutants, seed {args.seed}" if args.sample else f"{len(every)} mutants", flush=True)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = list(zip(every, pool.map(lambda m: run.judge(m, available[m.path]), every)))
    caught, counted = print_report(wanted, results)
    if args.json:
        args.json.write_text(json.dumps({"caught": caught, "counted": counted, "equivalent": len(known),
                                         "survived": [f"{m.path}:{m.line}: {m.operator}" for m, c in results if c is False]}, indent=1) + "\n")
    return 0 if caught >= WANTED * counted else 1


if __name__ == "__main__":
    sys.exit(main())
