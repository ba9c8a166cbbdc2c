#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/img/estimation.png from the traces of bench_soc. Offline; needs matplotlib, nothing else does.

usage: plot_estimation.py BENCH_SOC DATA_DIR OUT.png
"""
import csv
import pathlib
import subprocess
import sys
import tempfile

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

ERRORS = ["--gain", "1", "--offset", "2"]
# title, log, profile, start error, bias in mA, further options
PANELS = [
    ("NCA 25 °C Cycle_2 (not in the fit)", "panasonic_nca/drive_25degC_Cycle_2*", "panasonic_nca", 20, 50, []),
    ("NMC -20 °C Mixed1 (in the fit)", "lg_hg2_nmc/drive_n20degC_*_Mixed1*", "lg_nmc", 20, 50, []),
    ("LFP 25 °C dynamic (in the fit)", "a123_lfp_plett/dyn_P25_s1*", "a123_lfp", 20, 34, []),
    ("LFP flat zone, 12 mA bias, 15 points low", "lfp_flatzone_1p2Ah/Long_flat_zone_data_25*", "lfp_flatzone", -15, 12, None),
    ("failure: NCA 10 °C trise, aged cell", "panasonic_nca/drive_10degC_trise_Cycle_1*", "panasonic_nca", 20, 50, []),
    ("failure: NCA 0 °C Cycle_1 from 60 %, at 3 C", "panasonic_nca/drive_0degC_Cycle_1*", "panasonic_nca", 20, 50, ["--start-soc", "60"]),
]


def trace(bench, log, profile, start, bias, more):
    with tempfile.NamedTemporaryFile(suffix=".csv") as out:
        subprocess.run([bench, str(log), "--profile", profile, "--start-error", str(start), "--bias", str(bias), "--trace", out.name, "--json",
                        *([] if more is None else ERRORS + more)], check=True, stdout=subprocess.DEVNULL)
        with open(out.name) as text:
            return [[float(row[k]) for k in ("t_s", "soc_ref", "soc", "bound", "counting")] for row in csv.DictReader(text)]


def main():
    bench, data, out = sys.argv[1:4]
    figure, axes = plt.subplots(2, 3, figsize=(12, 6))
    for ax, (title, pattern, profile, start, bias, more) in zip(axes.flat, PANELS):
        log = sorted(pathlib.Path(data).glob(pattern))[0]
        t, ref, soc, bound, counting = zip(*trace(bench, log, profile, start, bias, more))
        hours = [(x - t[0]) / 3600 for x in t]
        ax.fill_between(hours, [100 * (s - b) for s, b in zip(soc, bound)], [100 * (s + b) for s, b in zip(soc, bound)], color="lightblue", lw=0)
        ax.plot(hours, [100 * x for x in ref], "k", label="reference")
        ax.plot(hours, [100 * x for x in soc], "C0", label="filter, 95 % band")
        ax.plot(hours, [100 * x for x in counting], "C1--", lw=0.8, label="counting, exact start")
        ax.set(title=title, ylim=(-5, 105))
        ax.grid(alpha=0.3)
    axes[0][0].legend(fontsize=8)
    figure.supxlabel("hours")
    figure.supylabel("SOC %")
    figure.tight_layout()
    figure.savefig(out, dpi=80)


main()
