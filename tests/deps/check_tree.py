#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What must be, and must not be, in the files of the repository: a licence line in each source, and nothing of one machine.

usage: check_tree.py [ROOT]          exit 1 and one line for each finding
       check_tree.py --self-test
"""
import pathlib
import re
import subprocess
import sys

SOURCE = {".c", ".h", ".def", ".py", ".sh", ".ts", ".tsx", ".css", ".sql", ".proto", ".cmake", ".conf", ".in"}
NAMED_SOURCE = {"cellwarden", "CMakeLists.txt", "run"}
SPDX = "SPDX-License-Identifier: Apache-2.0"
TEXT = SOURCE | {".md", ".yaml", ".yml", ".json", ".html", ".svg", ".txt"}

# Words are put together here so that this file does not find itself.
FORBIDDEN = [
    (re.compile(r"(?<![\w.$}])/(work|root|home)/[a-z]"), "a path of one machine"),
    (re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b(?!XX)"), "work left undone"),
    (re.compile(r"https?://(registry\.npmjs\.org|pypi\.org|files\.pythonhosted|deb\.debian\.org)"), "an address of a registry"),
    (re.compile(r"\b[A-Z0-9._%+-]+@(?!example\b|localhost\b)[A-Z0-9-]+\.(com|org|net|io|de|cn)\b", re.I), "a mail address"),
]


def findings(path, text):
    """Problems of one file: path relative to the root, and its text."""
    found = []
    name = pathlib.PurePosixPath(path)
    if (name.suffix in SOURCE or name.name in NAMED_SOURCE) and text.strip() and SPDX not in text[:400]:
        found.append(f"{path}: the first lines must hold '{SPDX}'")
    if name.suffix in TEXT or name.name in NAMED_SOURCE:
        for number, line in enumerate(text.splitlines(), 1):
            for pattern, what in FORBIDDEN:
                if pattern.search(line):
                    found.append(f"{path}:{number}: {what}: {line.strip()[:100]}")
    return found


def self_test():
    line = f"// {SPDX}\n"
    assert findings("a.c", line + "int x;\n") == []
    assert findings("a.md", "no licence line wanted here\n") == []
    assert len(findings("a.c", "int x;\n")) == 1
    assert len(findings("a.py", f"# {SPDX}\nopen('/ro" "ot/x')\n")) == 1
    assert len(findings("a.ts", line + "// TO" "DO later\n")) == 1
    assert len(findings("b.md", "see /wo" "rk/there\n")) == 1
    assert findings("b.md", "a frame of work/rest, var/root/x\n") == []
    print("check_tree: the rules can fail")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True, check=True).stdout.decode()
    found = []
    for path in filter(None, listed.split("\0")):
        file = root / path
        if file.is_file() and file.name != "package-lock.json":
            found += findings(path, file.read_bytes().decode(errors="replace"))
    print("\n".join(found) or "check_tree: licence lines present, nothing of one machine")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
