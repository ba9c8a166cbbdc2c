#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Line and branch coverage of the safety modules by the unit tests, from gcov; every one of them must be complete.

usage: coverage.py [--build DIR] [--json FILE]     DIR is a build of the preset coverage whose tests have run, default build/coverage

Prints a row for each module and names each line and branch that no test has reached. There are no exclusion markers.
Exit 1 when anything is missing, or when a module has no figures at all.
"""
import argparse
import collections
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

from safety_modules import SAFETY

ROOT = pathlib.Path(__file__).resolve().parents[2]


def gcov(data):
    """What gcov says about one .gcda, as its JSON."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["gcov", "--json-format", "--branch-probabilities", str(data)], cwd=folder, capture_output=True, text=True)
        reports = list(pathlib.Path(folder).glob("*.gcov.json.gz"))
        if done.returncode or not reports:
            sys.exit(f"coverage: gcov cannot read {data}: {done.stderr.strip()}")
        return json.loads(gzip.decompress(reports[0].read_bytes()))


def figures(build, module):
    """{lines, lines_hit, branches, branches_hit, missing} of firmware/<module>.c; None when no test has run it."""
    folder, name = module.split("/", 1)
    library = "cw_firmware" if folder == "core" else "cw_firmware_app"
    data = list((build / "firmware/CMakeFiles").glob(f"{library}.dir/{module}.c.gcda"))
    if not data:
        return None
    out = collections.Counter()
    missing = []
    for source in gcov(data[0])["files"]:
        if not source["file"].endswith(f"firmware/{module}.c"):
            continue
        for line in source["lines"]:
            number, branches = line["line_number"], line["branches"]
            taken = sum(branch["count"] > 0 for branch in branches)
            out.update(lines=1, lines_hit=line["count"] > 0, branches=len(branches), branches_hit=taken)
            if line["count"] == 0:
                missing.append(f"firmware/{module}.c:{number}: no test gets here")
            elif taken < len(branches):
                missing.append(f"firmware/{module}.c:{number}: {len(branches) - taken} of {len(branches)} branches not taken")
    return {**{key: int(out[key]) for key in ("lines", "lines_hit", "branches", "branches_hit")}, "missing": missing}


def share(hit, of):
    return 100.0 * hit / of if of else 100.0


def print_row(group, module, f):
    print(f"{group:<11} {module:<28} {f['lines']:>5} {share(f['lines_hit'], f['lines']):>7.2f} %"
          f" {f['branches']:>8} {share(f['branches_hit'], f['branches']):>7.2f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/coverage")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures here as well")
    args = parser.parse_args()
    total, rows, missing = collections.Counter(), {}, []
    print(f"{'':<11} {'module':<28} lines           branches")
    for group, modules in SAFETY.items():
        for module in modules:
            f = figures(args.build.resolve(), module)
            if f is None or f["lines"] == 0:
                missing.append(f"firmware/{module}.c: no test has run it")
                continue
            rows[module] = f
            missing += f["missing"]
            total.update({key: f[key] for key in f if key != "missing"})
            print_row(group, module, f)
    print_row("in all", "", total)
    if args.json:
        args.json.write_text(json.dumps({"total": total, "modules": rows, "missing": missing}, indent=1) + "\n")
    print("\n".join(missing), end="\n" if missing else "")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
