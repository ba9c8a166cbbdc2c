#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fit_profile.py -- make a cell profile of firmware/core/estimation from recorded logs. An offline tool.

usage: fit_profile.py --data DIR --cell nca|nmc|lfp|lfp12|leaf [--out FILE.c] [--without WORD,...] [--report]

DIR holds one folder of logs of the cell: gzip CSV `t_s,i_A,v_V,temp_C,ah_Ah` (A123: chg_Ah, dis_Ah in place of the last two).
Needs numpy, scipy and numba, which no other part of the project needs.

The model is linear in all of its tables once the time constants and the exchange current are chosen:
    V = ocv(T, s) - m(s) h - r0(T, s) I - a(T, s) asinh(I / i0(T)) - sum over k of LP_k(r_k(T, s) I)
because the low pass of (hat function of T and s) x I is a column of its own. So each fit is one bounded, regularised least
squares; the few numbers that are not linear are constants of the recipe below. The noise of each profile (profile_noise.txt, in the
order of struct est_noise) was chosen by a search of its own: docs/estimation.md says on which logs.
"""
import argparse
import pathlib
import sys

import numba
import numpy as np
import pandas

SOC_OCV = 41      # points of the OCV table over SOC, both ends included
SOC_R = 21        # points of the resistance tables
FLAT_HOURS = 6
SEEN_A2s = 100.   # a node with less current than this in all logs is not known

LEAF_OCV = "cell-cycling-10c-24c-40c"
RECIPES = {
    "nca": dict(name="panasonic_nca", data_set="Panasonic NCR18650PF drive cycles (Kollmeyer)", q=2.9, temps=[-20, -10, 0, 10, 25, 35],
                ocv="char_25degC_start_C20_OCV_Test_C20_25dC", tau=[6., 60., 600.], i0=2.0, i0_K=5000., arrhenius_K=3500., gamma=3.,
                fit=["hppc_", "C20_OCV", "drive_"], skip=["10degC_trise"], v_low=2.0, v_high=4.4, ocv_T=0.01, wide=10., couple=2.),
    "nmc": dict(name="lg_nmc", data_set="LG 18650HG2 drive cycles (Kollmeyer)", q=2.78, temps=[-20, -10, 0, 10, 25, 40],
                ocv="char_25degC_549_C20DisCh", tau=[6., 60., 600.], i0=2.0, i0_K=5000., arrhenius_K=3500., gamma=5.,
                fit=["C20DisCh", "Cap_1C", "US06", "Mixed"], v_low=2.0, v_high=4.4, ocv_T=0.01, wide=40., couple=1., step=0.001),
    "lfp": dict(name="a123_lfp", data_set="A123 LFP, OCV and dynamic tests (Plett, ESC toolbox)", q=2.05,
                temps=[-25, -15, -5, 5, 15, 25, 35, 45], ocv=None, tau=[6., 60., 600.], i0=2.0, i0_K=5000., arrhenius_K=3500., gamma=20.,
                fit=["dyn_", "ocv_"], drive_C=0.1, v_low=1.9, v_high=3.75, ocv_T=3e-3, wide=10.),
    "lfp12": dict(name="lfp_flatzone", data_set="LFP 1.2 Ah, flat zone (Shi and Tao): OCV table and the first hours of the 25 degC log", q=1.2,
                  temps=[10, 25], ocv="ocv_table", tau=[6., 60., 600.], i0=1.2, i0_K=5000., arrhenius_K=3500., gamma=20., fit=[], v_low=1.9,
                  v_high=3.75, ocv_T=1e-4, wide=10.),
    "leaf": dict(name="leaf_lmo", data_set="30 Ah LMO/LNO cell of an electric car (ORNL bench, equiv-circ-model)", q=30.0, temps=[10, 25, 40],
                 ocv=LEAF_OCV, tau=[6., 60., 600.], i0=20.0, i0_K=5000., arrhenius_K=3500., gamma=20., fit=[], v_low=2.5, v_high=4.25, ocv_T=3e-3,
                 wide=10.),
}
LEAF_LOGS = {"cell-low-current-hppc-10c": 10., "cell-low-current-hppc-25c-2": 25., "cell-low-current-hppc-40c-1": 40., "cell-discharge-bitrode-1c": 25.}


def read_log(path, q):
    """t, I, V, T, s of one log with SOC = 1 + ah/q; rows that no sensor should send are left out."""
    d = pandas.read_csv(path)
    d = d[d.v_V.notna() & d.i_A.notna() & d.ah_Ah.notna()]
    T = d.temp_C.interpolate().bfill().to_numpy(float)
    if len(T) > 3 and abs(T[0] - T[1]) > 3:
        T[0] = T[1]
    return d.t_s.to_numpy(float), d.i_A.to_numpy(float), d.v_V.to_numpy(float), T, 1 + d.ah_Ah.to_numpy(float) / q


@numba.njit(cache=True)
def hat(x, n):
    if x <= 0:
        return 0, 0.
    if x >= n - 1:
        return n - 2, 1.
    i = int(x)
    return i, x - i


@numba.njit(cache=True)
def columns(t, cur, T, s, temps, tau, i0, i0_K, gamma, q, out, lp, first, count, state):
    """Rows first..first+count of the regression. `lp` [branches, temps*SOC_R] and `state` [h] carry over between calls."""
    nt = len(temps)
    nb = len(tau)
    no = nt * 41
    nr = nt * 21
    for k in range(count):
        i = first + k
        dt = t[i] - t[i - 1] if i else 0.
        it = 0
        while it < nt - 2 and T[i] >= temps[it + 1]:
            it += 1
        ft = min(max((T[i] - temps[it]) / (temps[it + 1] - temps[it]), 0.), 1.)
        io, fo = hat(s[i] * 40, 41)
        ir, fr = hat(s[i] * 20, 21)
        for b in range(nb):
            a = np.exp(-dt / tau[b])
            lp[b, :] *= a
            for x in range(2):
                for y in range(2):
                    w = (ft if x else 1 - ft) * (fr if y else 1 - fr)
                    lp[b, (it + x) * 21 + ir + y] += (1 - a) * w * cur[i]
        e = np.exp(-abs(cur[i]) * dt * gamma / (3600 * q))
        state[0] = state[0] * e + (1 - e) * np.sign(cur[i])
        row = out[k]
        row[:] = 0
        iz = i0 * np.exp(i0_K * (1 / 298.15 - 1 / (T[i] + 273.15)))
        sh = np.arcsinh(cur[i] / iz)
        for x in range(2):
            wt = ft if x else 1 - ft
            for y in range(2):
                row[(it + x) * 41 + io + y] += wt * (fo if y else 1 - fo)
                wr = wt * (fr if y else 1 - fr)
                row[no + (it + x) * 21 + ir + y] -= wr * cur[i]
                row[no + nr + (it + x) * 21 + ir + y] -= wr * sh
        for b in range(nb):
            row[no + (2 + b) * nr:no + (3 + b) * nr] = -lp[b]
        m = no + (2 + nb) * nr
        row[m + ir] -= (1 - fr) * state[0]
        row[m + ir + 1] -= fr * state[0]


class Fit:
    def __init__(self, recipe):
        self.r = recipe
        self.temps = np.array(recipe["temps"], float)
        self.nt = len(self.temps)
        self.nb = len(recipe["tau"])
        self.no = self.nt * SOC_OCV
        self.nr = self.nt * SOC_R
        self.n = self.no + (2 + self.nb) * self.nr + SOC_R
        self.ata = np.zeros((self.n, self.n))
        self.atb = np.zeros(self.n)
        self.btb = 0.

    def walk(self, log):
        """Blocks of (matrix, rows' indices) over one log."""
        t, cur, v, T, s = log
        lp = np.zeros((self.nb, self.nr))
        state = np.zeros(1)
        size = 4000
        out = np.zeros((size, self.n))
        for first in range(0, len(t), size):
            count = min(size, len(t) - first)
            columns(t, cur, T, s, self.temps, np.array(self.r["tau"]), self.r["i0"], self.r["i0_K"], self.r["gamma"], self.r["q"], out,
                    lp, first, count, state)
            yield out[:count], slice(first, first + count)

    def add(self, log, weight=1.):
        t, _, v, _, s = log
        dt = np.clip(np.diff(t, prepend=t[0]), 0.02, 5.)
        w = np.sqrt(weight * dt) * ((v > self.r["v_low"]) & (v < self.r["v_high"]) & (s > -0.005))
        for a, rows in self.walk(log):
            aw = a * w[rows, None]
            bw = v[rows] * w[rows]
            self.ata += aw.T @ aw
            self.atb += aw.T @ bw
            self.btb += bw @ bw

    def smooth(self, at, stride, count, order, sigma, around=None):
        """Penalise differences of `order` along `count` unknowns from `at` on."""
        d = np.diff(np.eye(count), order, axis=0)
        idx = at + stride * np.arange(count)
        target = d @ around[:count] if around is not None else np.zeros(len(d))
        self.ata[np.ix_(idx, idx)] += d.T @ d / sigma ** 2
        self.atb[idx] += d.T @ target / sigma ** 2

    def regularise(self, prior, half_gap=None):
        """`prior` [SOC_OCV]: the OCV at the highest temperature of rest, or one row for each temperature."""
        many = np.atleast_2d(prior)
        self.seen = self.ata.diagonal()[self.no:self.no + self.nr].reshape(self.nt, SOC_R) > SEEN_A2s
        wide = self.r["wide"]  # a row of data weighs 1/(1 V)^2; the error of the model is 10 mV and is coloured over 100 rows
        for k in range(self.nt):
            p = many[k] if len(many) > 1 else many[0]
            self.smooth(k * SOC_OCV, 1, SOC_OCV, 2, 2e-3 / 1e-2 / np.sqrt(wide) * 1.0, p)
            self.ata[range(k * SOC_OCV, (k + 1) * SOC_OCV), range(k * SOC_OCV, (k + 1) * SOC_OCV)] += wide / 25
            self.atb[k * SOC_OCV:(k + 1) * SOC_OCV] += p * wide / 25
        if len(many) == 1:
            for k in range(SOC_OCV):
                self.smooth(k, SOC_OCV, self.nt, 1, self.r["ocv_T"] / 1e-2 / np.sqrt(wide))
        sigma = self.r.get("step", 0.004)  # how far a resistance at 25 degC bends from one SOC to the next [ohm]
        for kind in range(2 + self.nb):
            base = self.no + kind * self.nr
            scale = self.scale()
            for k in range(self.nt):
                self.smooth(base + k * SOC_R, 1, SOC_R, 2, sigma * scale[k] / 1e-2 / np.sqrt(wide))
                self.smooth(base + k * SOC_R, 1, SOC_R, 1, 4 * sigma * scale[k] / 1e-2 / np.sqrt(wide))
            for j in range(SOC_R):  # neighbours in temperature, scaled
                for k in range(self.nt - 1):
                    idx = [base + k * SOC_R + j, base + (k + 1) * SOC_R + j]
                    d = np.array([1 / scale[k], -1 / scale[k + 1]]) / (self.r.get("couple", 6.) * 0.004 / 1e-2 / np.sqrt(wide))
                    self.ata[np.ix_(idx, idx)] += np.outer(d, d)
            self.ata[range(base, base + self.nr), range(base, base + self.nr)] += 1e-3
        m = self.no + (2 + self.nb) * self.nr
        self.smooth(m, 1, SOC_R, 1, 0.01 / 1e-2 / np.sqrt(wide))
        firm = 100 * wide if half_gap is not None else wide
        self.ata[range(m, m + SOC_R), range(m, m + SOC_R)] += firm
        if half_gap is not None:
            self.atb[m:m + SOC_R] += firm * half_gap

    def scale(self):
        return np.exp(self.r["arrhenius_K"] * (1 / (self.temps + 273.15) - 1 / 298.15))

    def solve(self):
        """Active set: free unknowns are solved for, those below their limit are held there, until nothing moves."""
        low = np.zeros(self.n)
        low[:self.no] = -np.inf
        held = np.zeros(self.n, bool)
        for _ in range(50):
            free = np.flatnonzero(~held)
            x = np.zeros(self.n)
            x[free] = np.linalg.solve(self.ata[np.ix_(free, free)], self.atb[free])
            pull = self.ata @ x - self.atb
            now = (held & (pull > 0)) | (~held & (x < low))
            if (now == held).all():
                break
            held = now
        self.x = np.maximum(x, low)

    def tables(self):
        x = self.x
        out = {"ocv": x[:self.no].reshape(self.nt, SOC_OCV).copy()}
        for kind, name in enumerate(["r0", "a"] + [f"r{k + 1}" for k in range(self.nb)]):
            out[name] = x[self.no + kind * self.nr:self.no + (kind + 1) * self.nr].reshape(self.nt, SOC_R).copy()
            hold_edges(out[name], self.seen)
        out["m"] = x[self.no + (2 + self.nb) * self.nr:]
        out["ocv"] = np.maximum.accumulate(out["ocv"], axis=1)
        return out

    def error(self, log):
        """Residuals of the open simulation [V]."""
        return log[2] - np.concatenate([a @ self.x for a, _ in self.walk(log)])


def hold_edges(table, seen):
    """Where no log has been, the nearest SOC of the same temperature that one has seen holds: a slope carried on would run away."""
    for row, known in zip(table, seen):
        at = np.flatnonzero(known)
        if len(at):
            row[:at[0]] = row[at[0]]
            row[at[-1] + 1:] = row[at[-1]]


def rest_curve(log):
    """Mean of the slow discharge and the slow charge on the OCV grid; where only one of both exists it is that one."""
    t, cur, v, T, s = log
    grid = np.linspace(0, 1, SOC_OCV)
    parts = []
    for sign in (1, -1):
        pick = cur * sign > 0.02
        if pick.sum() < 50:
            continue
        order = np.argsort(s[pick])
        parts.append(np.interp(grid, s[pick][order], v[pick][order], left=np.nan, right=np.nan))
    p = np.nanmean(np.array(parts), axis=0)
    both = np.all(np.isfinite(np.array(parts)), axis=0)
    half = (parts[1] - parts[0]) / 2 if len(parts) > 1 else np.zeros(SOC_OCV)
    if both.any() and len(parts) > 1:  # one branch alone: shift it by half the gap at the border
        first, last = np.flatnonzero(both)[[0, -1]]
        for k in range(SOC_OCV):
            if not both[k]:
                edge = half[first] if k < first else half[last]
                p[k] = parts[0][k] + edge if np.isfinite(parts[0][k]) else parts[1][k] - edge
    good = np.isfinite(p)
    return np.interp(grid, grid[good], p[good])


def chosen(recipe, path, without):
    return any(w in path.name for w in recipe["fit"]) and not any(w in path.name for w in without + recipe.get("skip", []))


def fit(recipe, folder, without):
    if recipe["ocv"] == "ocv_table":
        return fit_flat(recipe, folder)
    if recipe["ocv"] == LEAF_OCV:
        return fit_leaf(recipe, folder)
    if recipe["ocv"] is None:
        return fit_plett(recipe, folder, without)
    f = Fit(recipe)
    prior = rest_curve(read_log(folder / (recipe["ocv"] + ".csv.gz"), recipe["q"]))
    names = []
    for path in sorted(folder.glob("*.csv.gz")):
        if chosen(recipe, path, without):
            f.add(read_log(path, recipe["q"]), 0.3 if "hppc" in path.name else 1.)
            names.append(path.name.split(".")[0])
    f.regularise(prior)
    f.solve()
    f.names = names
    return f


def plett_log(path, s_of):
    d = pandas.read_csv(path)
    d = d[d.v_V.notna() & d.i_A.notna()]
    word = path.name.split("_")[1]
    temp = (-1. if word[0] == "N" else 1.) * float(word[1:])
    s = s_of(d.chg_Ah.to_numpy(float), d.dis_Ah.to_numpy(float))
    return d.t_s.to_numpy(float), d.i_A.to_numpy(float), d.v_V.to_numpy(float), np.full(len(d), temp), s


def last_counts(path):
    d = pandas.read_csv(path)
    return d.chg_Ah.iloc[-1], d.dis_Ah.iloc[-1]


def plett_dynamic(path):
    """The first part of a dynamic test, SOC by the efficiency and the capacity of all its parts."""
    parts = [last_counts(path.with_name(path.name.replace("_s1", f"_s{k}"))) for k in (1, 2, 3)]
    eta = sum(d for _, d in parts) / sum(c for c, _ in parts)
    q = parts[0][1] + parts[1][1] - eta * (parts[0][0] + parts[1][0])
    return plett_log(path, lambda c, d: 1 - (d - eta * c) / q)


def plett_rest(folder, word):
    """Slow discharge and slow charge at one temperature, SOC between the ends that scripts 2 and 4 find at 25 degC."""
    n = {k: last_counts(folder / f"ocv_{word}_S{k}.csv.gz") for k in (1, 2, 3, 4)}
    eta = sum(v[1] for v in n.values()) / sum(v[0] for v in n.values())
    q = n[1][1] + n[2][1] - eta * (n[1][0] + n[2][0])
    down = plett_log(folder / f"ocv_{word}_S1.csv.gz", lambda c, d: 1 - (d - eta * c) / q)
    up = plett_log(folder / f"ocv_{word}_S3.csv.gz", lambda c, d: (eta * c - d) / q)
    return down, up


def fit_plett(recipe, folder, without):
    f = Fit(recipe)
    priors, f.names = [], []
    for temp in recipe["temps"]:
        word = f"{'N' if temp < 0 else 'P'}{abs(int(temp)):02d}"
        down, up = plett_rest(folder, word)
        priors.append(rest_curve(tuple(np.concatenate(x) for x in zip(down, up))))
        for log in (down, up):
            f.add(log, 0.3)
        f.names += [f"ocv_{word}_S1", f"ocv_{word}_S3"]
        path = folder / f"dyn_{word}_s1.csv.gz"
        if path.exists() and not any(w in path.name for w in without):
            f.add(plett_dynamic(path))
            f.names.append(path.name.split(".")[0])
    f.regularise(np.array(priors))
    f.solve()
    return f


def fit_flat(recipe, folder):
    """OCV and hysteresis of the maker's table; resistances from the first FLAT_HOURS of the log, all of it at 25 degC."""
    table = pandas.read_csv(folder / "ocv_table.csv.gz")
    at = table.soc_pct.to_numpy(float) / 100
    order = np.argsort(at)
    pick = lambda name, n: np.interp(np.linspace(0, 1, n), at[order], table[name].to_numpy(float)[order])
    columns = {k.lower(): k for k in table.columns}
    mean = next(columns[k] for k in columns if "av" in k)
    half = next(columns[k] for k in columns if "hys" in k)
    d = pandas.read_csv(next(folder.glob("Long_flat*25_degree.csv.gz")))
    d = d[(d.t_s < FLAT_HOURS * 3600) & d.v_V.notna() & d.i_A.notna()]
    f = Fit(recipe)
    f.add((d.t_s.to_numpy(float), d.i_A.to_numpy(float), d.v_V.to_numpy(float), np.full(len(d), 25.), d.soc_ref.to_numpy(float)))
    f.regularise(pick(mean, SOC_OCV), np.abs(pick(half, SOC_R)))
    f.solve()
    f.names = ["ocv_table", "Long_flat_zone_data_25_degree (first %d h)" % FLAT_HOURS]
    return f


def leaf_log(path, temp, q):
    """The first whole discharge: from the end of a full charge (step 4), where the SOC is 1, to the next charge; the logged current is counted."""
    d = pandas.read_csv(path)
    t, cur, v, step = (d[k].to_numpy(float) for k in ("t_s", "i_A", "v_V", "step"))
    full = np.flatnonzero((step[:-1] == 4) & (step[1:] != 4))[0] + 1
    again = np.flatnonzero((step[:-1] != 4) & (step[1:] == 4))
    last = ([*again[again > full], len(t) - 1])[0] + 1
    moved = np.concatenate([[0.], np.cumsum(cur[1:] * np.diff(t))]) / 3600
    log = t, cur, v, np.full(len(t), temp), 1 - (moved - moved[full]) / q
    return tuple(x[full:last] for x in log)


def fit_leaf(recipe, folder):
    """Pulses and steady discharges; a discharge in 14 h gives the OCV, half of its distance from the rests between pulses included by the fit."""
    f = Fit(recipe)
    logs = {name: leaf_log(folder / f"{name}.csv.gz", temp, recipe["q"]) for name, temp in LEAF_LOGS.items()}
    for log in logs.values():
        f.add(log)
    f.regularise(rest_curve(leaf_log(folder / f"{recipe['ocv']}.csv.gz", 25., recipe["q"])))
    f.solve()
    f.names = [recipe["ocv"], *logs]
    return f


def c_table(values, digits):
    return ", ".join(f"{v:.{digits}f}f" for v in values)


def write_c(f, path):
    r, tab = f.r, f.tables()
    tau = ", ".join(f"{t:g}.0f" for t in r["tau"])
    lines = ["/* SPDX-License-Identifier: Apache-2.0 */",
             f"/* profile_{r['name']}.c -- made by tools/fit_profile.py from: {r['data_set']}.",
             " * Logs of the fit: " + (",\n *   ".join(f.names)) + ".",
             " */", '#include "firmware/core/estimation/profile.h"', "", "/* clang-format off */"]
    lines += [f"static const float ocv_V[{f.nt}][EST_SOC_OCV] = {{"]
    lines += ["    { " + c_table(row, 4) + " }," for row in tab["ocv"]] + ["};"]
    for name, unit in [("r0", "ohm"), ("a", "V")] + [(f"r{k + 1}", "ohm") for k in range(f.nb)]:
        lines += [f"static const float {name}_{unit}[{f.nt}][EST_SOC_R] = {{"]
        lines += ["    { " + c_table(row, 5) + " }," for row in tab[name]] + ["};"]
    lines += ["static const float hysteresis_V[EST_SOC_R] = { " + c_table(tab["m"], 5) + " };"]
    lines += [f"static const float temp_degC[{f.nt}] = {{ " + c_table(r["temps"], 1) + " };", "/* clang-format on */", ""]
    lines += [f"const struct est_profile est_profile_{r['name']} = {{", f'    .name = "{r["name"]}",', f"    .capacity_Ah = {float(r['q'])!r}f,",
              f"    .temps = {f.nt},", "    .temp_degC = temp_degC,", "    .ocv_V = &ocv_V[0][0],", "    .r0_ohm = &r0_ohm[0][0],",
              "    .a_V = &a_V[0][0],", "    .rc_ohm = { " + ", ".join(f"&r{k + 1}_ohm[0][0]" for k in range(f.nb)) + " },",
              f"    .tau_s = {{ {tau} }},", "    .hysteresis_V = hysteresis_V,", f"    .gamma = {r['gamma']:.1f}f,",
              f"    .i0_A = {r['i0']:.3f}f,", f"    .i0_K = {r['i0_K']:.1f}f,", "    .most_C = 40.0f,", f"    .drive_C = {r.get('drive_C', 0.5)!r}f,", "    .heat_J_per_K = 0.0f,"]
    noise = pathlib.Path(__file__).with_name("profile_noise.txt")
    for line in noise.read_text().splitlines() if noise.exists() else []:
        if line.startswith(r["name"] + " "):
            lines.append("    " + line.split(" ", 1)[1])
    lines += ["};", ""]
    path.write_text("\n".join(lines))


def report(f, folder):
    for path in sorted(folder.glob("dyn_*_s1.csv.gz")):
        e = f.error(plett_dynamic(path))
        print(f"{path.name:46s} rmse {1e3 * np.sqrt(np.mean(e ** 2)):6.1f} mV  mean {1e3 * np.mean(e):6.1f} mV")
    for path in sorted(folder.glob("*.csv.gz")):
        if path.name.startswith(("drive_", "hppc_")) or "C20" in path.name or "Cap_1C" in path.name:
            log = read_log(path, f.r["q"])
            e = f.error(log)
            ok = (log[4] > 0.03) & (log[2] > f.r["v_low"])
            used = "fit " if path.name.split(".")[0] in f.names else "    "
            print(f"{used}{path.name:42s} rmse {1e3 * np.sqrt(np.mean(e[ok] ** 2)):6.1f} mV  mean {1e3 * np.mean(e[ok]):6.1f} mV")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, type=pathlib.Path)
    p.add_argument("--cell", required=True, choices=RECIPES)
    p.add_argument("--out", type=pathlib.Path)
    p.add_argument("--without", default="", help="words: logs whose names hold one are left out of the fit")
    p.add_argument("--set", default="", help="key=value,... of the recipe, to try one")
    p.add_argument("--report", action="store_true", help="print the error of the open simulation for each log")
    a = p.parse_args()
    recipe = dict(RECIPES[a.cell])
    for pair in filter(None, a.set.split(",")):
        key, value = pair.split("=")
        recipe[key] = [float(x) for x in value.split("/")] if "/" in value else float(value)
    f = fit(recipe, a.data, [w for w in a.without.split(",") if w])
    if a.report:
        report(f, a.data)
    if a.out:
        write_c(f, a.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
