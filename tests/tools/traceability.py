#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/traceability.md: which tests show which requirement.

usage: traceability.py [--root ROOT] [--check]

A test shows a requirement when its name, or for Python its docstring, carries the id in square brackets: "over-voltage names the cell [AC-6]".
--check writes nothing; exit 1 when the document is not current, an id is unknown, or a row of docs/requirements.md says "met" without a test.
"""
import argparse
import collections
import pathlib
import re
import sys

ID = r"(?:PK|ME|ES|AC|TA|UC|FL)-\d+"
TAG = re.compile(rf"\[((?:{ID})(?:[ ,]+{ID})*)\]")
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\'|`([^`]*)`')
ROW = re.compile(rf"^\| ({ID}) \| (.*) \|$")
HEAD = """# Traceability
Made by `tests/tools/traceability.py` from the names of the tests; `./cellwarden lint` fails when it is not current.

| requirement | status | shown by |
| --- | --- | --- |
"""


def requirements(text):
    """id -> status, in the order of the document; the status is the last column."""
    rows = {}
    for line in text.splitlines():
        if match := ROW.match(line):
            rows[match[1]] = match[2].split("|")[-1].strip()
    return rows


def tests_in(path, text):
    """(name, [ids]) of each test in one file."""
    if path.endswith(".py"):
        for match in re.finditer(r'def (test_\w+)\([^)]*\)[^:]*:\s*"""(.*?)"""', text, re.S):
            ids = [i for tag in TAG.findall(match[2]) for i in re.findall(ID, tag)]
            if ids:
                yield match[1], ids
        return
    text = re.sub(r'"\s*\n\s*"', "", text)  # C strings over several lines
    for match in STRING.finditer(text):
        name = next(part for part in match.groups() if part is not None)
        ids = [i for tag in TAG.findall(name) for i in re.findall(ID, tag)]
        if ids:
            yield re.sub(r"\s*" + TAG.pattern, "", name).strip(), ids


def collect(root):
    shown = collections.defaultdict(list)
    folders = [root / "tests", root / "server" / "web"]
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.suffix not in (".c", ".py", ".ts", ".tsx", ".mjs") or {"node_modules", "dist", "tools", "deps"} & set(file.parts):
                continue
            path = file.relative_to(root).as_posix()
            for name, ids in tests_in(path, file.read_text(errors="replace")):
                for one in ids:
                    shown[one].append((path, name))
    return shown


def document(rows, shown):
    lines = []
    for one, status in rows.items():
        by = "<br>".join(f"`{path}`: {name}" for path, name in shown.get(one, [])) or "-"
        lines.append(f"| {one} | {status} | {by.replace('|', '/')} |\n")
    return HEAD + "".join(lines)


def problems(rows, shown):
    for one, status in rows.items():
        if status == "met" and one not in shown:
            yield f"{one} is called met in docs/requirements.md and no test names it"
        if status not in ("met", "part", "open"):
            yield f"{one}: the status must be met, part or open, not '{status}'"
    for one in shown:
        if one not in rows:
            yield f"{one} is named by {shown[one][0][0]} and is not in docs/requirements.md"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    rows = requirements((args.root / "docs/requirements.md").read_text())
    shown = collect(args.root)
    target = args.root / "docs/traceability.md"
    wanted = document(rows, shown)
    found = list(problems(rows, shown))
    if not args.check:
        target.write_text(wanted)
    elif not target.exists() or target.read_text() != wanted:
        found.append("docs/traceability.md is not current: run tests/tools/traceability.py")
    print("\n".join(found) or f"traceability: {len(rows)} requirements, {sum(s == 'met' for s in rows.values())} met")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
