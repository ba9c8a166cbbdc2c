#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Mutation run over the safety modules: break one thing at a time, and see whether the unit tests notice.

usage: mutate.py [--build DIR] [--jobs N] [--sample N [--seed S]] [--json FILE] [--docs FILE] [MODULE...]
       DIR is a build of the preset host, default build/host; MODULE is a name such as core/protection/alarm, default all of safety_modules.py

Operators: flip a comparison, move it by one, drop a term of && or ||, negate a condition, change a constant, delete a statement, swap + and -.
Each test program is linked once, with the modules it judges as shared objects; a mutant is one more of these, loaded in place of the right one, so what
runs is the program that ctest runs. The first assertion that fails, a crash or a test that hangs (processor time) has caught the mutant.

A mutant that does not compile, or that gcc makes the same machine code of (-O1, or for a survivor -O2 or -O3), is not counted. Mutants that cannot be
told apart by anything a caller sees stand, each with its reason, in equivalent_mutants.txt and are not counted either; a row there that fits nothing
is an error. A sample is drawn by a hash of the seed and of each mutant, so that a change of one module draws no others in the rest.
Prints a row for each module, then every survivor. Exit 1 when less than 95 % are caught. The whole takes about 6 minutes on two free cores.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

from mutants import mutants
from safety_modules import modules

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests/tools/equivalent_mutants.txt"
WANTED = 0.95
CAUGHT, SURVIVED, BROKEN, SAME = "caught", "survived", "does not compile", "same code"
REPORT_S = 10
ROW = re.compile(r"\| (\S+) \| (\d+) \| (\d+) \| [\d.]+ % \| (\d+) \| (\d+) \|")


def soname(path):
    return path[:-1].replace("/", "-") + "so"


class Run:
    """The programs that judge the mutants of `wanted`, {path: tests}, linked in a folder of their own."""

    def __init__(self, build, wanted, folder):
        self.build, self.wanted, self.folder = build, wanted, pathlib.Path(folder)
        self.took, self.originals, self.lock = {}, {}, threading.Lock()
        self.caught = collections.Counter()  # (path, test): mutants
        self.environment = {"PATH": "/usr/bin:/bin", "CELLWARDEN_RANDOM_STEPS": "100000", "CELLWARDEN_RANDOM_SEED": "1"}

    def call(self, command, seconds, **more):
        try:
            return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=seconds,
                                  env={**self.environment, **more}).returncode
        except subprocess.TimeoutExpired:
            return 1

    def compile(self, folder, text, level="-O1"):
        """The object file of a module's text, or None when it does not compile."""
        source, out = folder / "module.c", folder / "module.o"
        source.write_text(text)
        flags = ["-std=c11", level, "-DNDEBUG", "-w", "-D_POSIX_C_SOURCE=200809L", "-fPIC", "-fno-semantic-interposition", f"-I{ROOT}", f"-I{self.build}"]
        return None if self.call(["cc", *flags, "-c", str(source), "-o", str(out)], 60) else out

    def share(self, out, so):
        if self.call(["ld", "-shared", "-soname", so.name, "-o", str(so), str(out)], 60):
            sys.exit(f"mutate: {so.name} does not link")

    def code_of(self, out):
        """What the object does: its code and data, without names and lines."""
        plain = out.with_suffix(".bin")  # a plain file: objcopy replaces its output, whatever that is
        if self.call(["objcopy", "--strip-all", "--remove-section=.comment", "--remove-section=.note*", str(out), str(plain)], 60):
            sys.exit("mutate: objcopy fails")
        return hashlib.sha256(plain.read_bytes()).digest()

    def prepare(self):
        """Every module as it is, and every program on top; each must pass."""
        for path in self.wanted:
            text = (ROOT / path).read_text()
            for level in ("-O3", "-O2", "-O1"):
                out = self.compile(self.folder, text, level)
                if out is None:
                    sys.exit(f"mutate: {path} does not compile")
                self.originals[path, level] = self.code_of(out)
            self.share(out, self.folder / soname(path))
        stop = self.folder / "stop.o"
        if self.call(["cc", "-O1", "-c", str(ROOT / "tests/tools/stop_at_failure.c"), "-o", str(stop)], 60):
            sys.exit("mutate: stop_at_failure.c does not compile")
        tests = sorted({test for tests in self.wanted.values() for test in tests})
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(self.link, tests))
        for test in tests:
            began = time.monotonic()
            if self.fails(test, self.folder, 60):
                sys.exit(f"mutate: tests/test_{test} fails as it is; build the preset and see")
            self.took[test] = time.monotonic() - began
        for path, tests in self.wanted.items():  # a module that is loaded as a mutant is, and is none, must not be caught
            with tempfile.TemporaryDirectory(dir=self.folder) as name:
                self.share(self.compile(self.folder, (ROOT / path).read_text()), pathlib.Path(name, soname(path)))
                if self.fails(min(tests, key=self.took.get), pathlib.Path(name), 60):
                    sys.exit(f"mutate: {path} is caught as it is")

    def fails(self, test, folder, limit_s):
        """Runs a program with the modules of `folder` in place of the right ones, for so much processor time."""
        return self.call(["prlimit", f"--cpu={limit_s}", str(self.folder / f"test_{test}")], 20 * limit_s, LD_LIBRARY_PATH=str(folder)) != 0

    def link(self, test):
        objects = [str(p) for p in (self.build / f"tests/unit/firmware/CMakeFiles/test_{test}.dir").rglob("*.o")]
        archives = [str(p) for part in ("firmware", "proto", "common") for p in sorted((self.build / part).glob("*.a"))]
        judged = [str(self.folder / soname(path)) for path, tests in self.wanted.items() if test in tests]
        rig = str(self.build / "tests/unit/firmware/libcw_firmware_rig.a")
        if self.call(["cc", "-rdynamic", "-Wl,-s", "-Wl,--enable-new-dtags", f"-Wl,-rpath,{self.folder}", "-o", str(self.folder / f"test_{test}"), *objects, str(self.folder / "stop.o"),
                      *judged, rig, "-Wl,--start-group", *archives, "-Wl,--end-group", "-lcunit", "-lm"], 120):
            sys.exit(f"mutate: tests/test_{test} is missing or does not link; build the preset first")

    def tests_of(self, path):
        """The most promising first: mutants caught for the time it takes."""
        with self.lock:
            return sorted(self.wanted[path], key=lambda test: -(1 + self.caught[path, test]) / (0.005 + self.took[test]))

    def judge(self, mutant):
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = pathlib.Path(name)
            out = self.compile(folder, mutant.text)
            if out is None:
                return BROKEN
            if self.code_of(out) == self.originals[mutant.path, "-O1"]:
                return SAME
            so = folder / soname(mutant.path)
            self.share(out, so)
            for test in self.tests_of(mutant.path):
                if self.fails(test, folder, 2 + math.ceil(5 * self.took[test])):
                    with self.lock:
                        self.caught[mutant.path, test] += 1
                    return CAUGHT
            same = any(self.code_of(self.compile(folder, mutant.text, level)) == self.originals[mutant.path, level] for level in ("-O2", "-O3"))
            return SAME if same else SURVIVED


def equivalents():
    """{key of the mutant: reason}"""
    table = {}
    for number, line in enumerate(TABLE.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split(" ## ")]
        if len(fields) != 5 or not all(fields):
            sys.exit(f"{TABLE.name}:{number}: needs path ## function ## operator ## code ## reason")
        table[tuple(fields[:4])] = fields[4]
    return table


def chosen(args, available):
    wanted = [f"firmware/{name}.c" for name in args.modules] or list(available)
    unknown = [path for path in wanted if path not in available]
    if unknown:
        sys.exit(f"mutate: no safety module {', '.join(unknown)}")
    return {path: available[path] for path in wanted}


def drawn(every, args):
    if not args.sample or args.sample >= len(every):
        return every
    ranks = sorted(every, key=lambda m: hashlib.sha256(" ## ".join((str(args.seed), *m.key)).encode()).digest())
    return sorted(ranks[:args.sample], key=lambda m: (m.path, m.line))


def judge_all(run, every, jobs):
    """[(mutant, verdict)], with a line on the way now and then."""
    results, began, told = [], time.monotonic(), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for mutant, verdict in zip(every, pool.map(run.judge, every)):
            results.append((mutant, verdict))
            if time.monotonic() - told >= REPORT_S:
                told = time.monotonic()
                survived = sum(v == SURVIVED for _, v in results)
                print(f"  {len(results)} of {len(every)} after {told - began:.0f} s, {survived} survived, now {mutant.path}", flush=True)
    return results


def rows(wanted, results, known):
    """(module, caught, counted, equivalent, not counted) of each module, then of all."""
    out = []
    for path in wanted:
        verdicts = collections.Counter(verdict for mutant, verdict in results if mutant.path == path)
        equivalent = sum(key[0] == path for key in known)
        out.append((path[len("firmware/"):-2], verdicts[CAUGHT], verdicts[CAUGHT] + verdicts[SURVIVED], equivalent, verdicts[SAME] + verdicts[BROKEN]))
    return [*out, ("in all", *(sum(column) for column in list(zip(*out))[1:]))]


def percent(caught, counted):
    return f"{100 * caught / max(1, counted):.1f} %"


def survivors(results):
    return [f"{m.path}:{m.line}: {m.operator}: {m.was}" for m, verdict in results if verdict == SURVIVED]


def document(file, wanted, results, known):
    """Writes docs/mutation.md: of modules that were not judged now, rows and survivors stay as they are, if the modules still exist."""
    old = file.read_text().splitlines() if file.exists() else []
    figures = {found.group(1): [int(found.group(i)) for i in (2, 3, 4, 5)] for found in map(ROW.fullmatch, old) if found}
    table = [(path[len("firmware/"):-2], figures.get(path[len("firmware/"):-2])) for path in modules()]
    fresh = {row[0]: row[1:] for row in rows(wanted, results, known)}
    table = [(name, fresh.get(name, figure)) for name, figure in table if name in fresh or figure]
    table.append(("in all", [sum(column) for column in zip(*(figure for _, figure in table))]))
    survived = [line for line in old if line.startswith("- `firmware/") and line.split("`")[1] not in wanted and line.split("`")[1] in modules()]
    survived += [f"- `{m.path}`, `{m.function}`: {m.operator}: `{m.was}`" for m, verdict in results if verdict == SURVIVED]
    lines = ["<!-- SPDX-License-Identifier: Apache-2.0 -->", "# Mutation run over the safety modules", "",
             "Made by `./cellwarden test mutation -- --docs docs/mutation.md`: one thing at a time is broken in a module (a comparison, a term, a constant,",
             "a statement), and its unit tests must notice at least 95 %. Equivalent: nothing a caller sees can tell, with reasons in",
             "`tests/tools/equivalent_mutants.txt`. Not counted: does not compile, or is the same machine code.", "",
             "| module | caught | counted | share | equivalent | not counted |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    lines += [f"| {name} | {caught} | {counted} | {percent(caught, counted)} | {equivalent} | {other} |" for name, (caught, counted, equivalent, other) in table]
    file.write_text("\n".join([*lines, "", "## Survivors", "", *sorted(survived)]) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/host")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--sample", type=int, help="only so many, drawn by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=pathlib.Path, help="the figures and survivors as JSON")
    parser.add_argument("--docs", type=pathlib.Path, help="write the figures into this Markdown table; rows of other modules stay")
    parser.add_argument("modules", nargs="*")
    args = parser.parse_args()
    if args.docs and args.sample:
        parser.error("--docs wants every mutant of a module, not a sample")
    known, wanted = equivalents(), chosen(args, modules())

    every = [mutant for path in wanted for mutant in mutants(path, (ROOT / path).read_text())]
    stale = set(known) - {m.key for m in every}
    stale = [key for key in known if key in stale and key[0] in wanted]
    if stale:
        sys.exit(f"{TABLE.name}: these rows fit nothing:\n  " + "\n  ".join(" ## ".join(key) for key in stale))
    every = drawn([m for m in every if m.key not in known], args)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(args.build.resolve(), wanted, folder)
        run.prepare()
        print(f"{len(every)} mutants" + (f", seed {args.seed}" if args.sample else ""), flush=True)
        results = judge_all(run, every, args.jobs)
    table = rows(wanted, results, known)
    for line in survivors(results):
        print(f"survived: {line}")
    for name, caught, counted, equivalent, other in table:
        print(f"{name:<20} {caught:>5} of {counted:>5} caught  {percent(caught, counted):>8}  {equivalent:>3} equivalent  {other:>3} not counted")
    _, caught, counted, _, _ = table[-1]
    if args.json:
        args.json.write_text(json.dumps({"caught": caught, "counted": counted, "modules": {row[0]: row[1:] for row in table[:-1]},
                                         "survived": survivors(results)}, indent=1) + "\n")
    if args.docs:
        document(args.docs, wanted, results, known)
    return 0 if counted and caught >= WANTED * counted else 1


if __name__ == "__main__":
    sys.exit(main())
