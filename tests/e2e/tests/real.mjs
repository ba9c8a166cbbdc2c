// SPDX-License-Identifier: Apache-2.0
// real.mjs -- the same console on a running instance: real server, broker, database, DTUs and simulated packs (CELLWARDEN_URL).
// Tests that freeze a process of the instance also need its folder, CELLWARDEN_VAR; what they change they put back.
import assert from "node:assert/strict";
import { before } from "node:test";
import { axe, sideways, until, withContext, openPage, withPage } from "../lib/browser.mjs";
import { testReal as test } from "../lib/suite.mjs";
import { FOLLOW } from "./freshness.mjs";
import { Api, freeze, kill, processes, real, thaw } from "../lib/target.mjs";

const skip = real ? false : "CELLWARDEN_URL is not set";
const skipVar = !real ? skip : processes(real, /^server/).length ? false : "CELLWARDEN_VAR names no running instance";
const PARAM = "balance_start_mV"; // 30 to 800 mV: harmless while the pack drives
let api;
let vehicles = [];

before(async () => {
  if (!real) return;
  api = await Api.open(real);
  vehicles = await until("three vehicles online", async () => {
    const { rows } = await api.get("/fleet/rows?limit=200");
    const online = rows.filter((r) => r.online && r.measured_at !== null);
    return online.length >= 3 ? online : null;
  }, 90_000, 1000);
});

const by = (cells) => vehicles.find((v) => v.cells === cells)?.id;
const number = (text) => Number(text.replace(/\s/g, "").replace("−", "-"));

test("real: the fleet shows every pack of the instance with live values [FL-5]", { skip }, () =>
  withPage(real, "real fleet", "/fleet", {}, async (page) => {
    for (const v of vehicles) await page.waitForSelector(`.vrow[data-id="${v.id}"]`);
    const before = await page.locator(`.vrow[data-id="${vehicles[0].id}"]`).innerText();
    await until("the row moves", async () => (await page.locator(`.vrow[data-id="${vehicles[0].id}"]`).innerText()) !== before, 30_000, 500);
  }));

test("real, check 7: the overview of each pack is live within 5 s and shows what the API says [UC-1]", { skip }, async () => {
  for (const v of vehicles.slice(0, 3))
    await withPage(real, "real overview", `/v/${v.id}`, {}, async (page) => {
      await page.waitForSelector("#figures[data-fresh=live]", { timeout: 15_000 });
      const { frame } = await api.get(`/vehicles/${v.id}`);
      const max = Math.max(...frame.cell_mV.filter((x) => x !== null));
      const shown = number((await page.locator("[data-figure=max] .number").innerText()).replace("mV", ""));
      assert.ok(Math.abs(shown - max) <= 60, `${v.id}: highest cell ${shown}, API ${max}`);
      assert.ok(/^\d/.test(await page.locator("[data-figure=soc] .number").innerText()));
      assert.equal(await page.locator("#relays .bit").count(), 4);
    });
});

test("real, check 10 and 11: every cell of 48, 96 and 160, the sentence names the extremes of the frame that is drawn [UC-2]", { skip }, async () => {
  for (const v of vehicles.slice(0, 3)) {
    await withPage(real, "real cells", `/v/${v.id}/cells`, {}, async (page) => {
      await page.locator(".cellchart canvas").waitFor();
      assert.equal(await page.locator("#cell-table tbody tr").count(), v.cells);
      const { sentence, rows } = await page.evaluate(() => ({
        sentence: document.querySelector("[data-sentence]").textContent,
        rows: [...document.querySelectorAll("#cell-table tbody tr")].map((r) => [Number(r.dataset.cell), r.children[2].textContent]),
      }));
      const values = rows.map(([cell, text]) => [cell, number(text)]);
      const lowest = Math.min(...values.map((x) => x[1]));
      const ties = values.filter((x) => x[1] === lowest).map((x) => x[0]);
      for (const text of [`lowest ${ties.length > 1 ? "are cells" : "is cell"} `]) assert.ok(sentence.includes(text) || sentence.startsWith("All "), sentence);
      assert.ok(sentence.replace(/\s/g, "").includes(`${lowest}mV`), `${sentence} without ${lowest}`);
    });
    await withPage(real, "real phone", `/v/${v.id}/cells`, { phone: true }, async (page) => {
      await page.waitForSelector(".cellsq");
      assert.equal(await page.locator(".cellsq").count(), v.cells);
      assert.ok((await sideways(page)) <= 0);
    });
  }
});

test("real, check 12 and 13: the history of this hour is drawn from one request, without samples where there were none", { skip }, () =>
  withPage(real, "real history", "/fleet", {}, async (page) => {
    const asked = [];
    page.on("request", (r) => r.url().includes("/history?") && asked.push(r.url()));
    await page.goto(`${real.url}/v/${vehicles[0].id}/history`);
    await page.waitForSelector("[data-chart=cells] canvas");
    assert.equal(asked.length, 1);
    assert.match(await page.locator("[data-chart=cells]").innerText(), /\d+ samples/);
  }));

test("real, check 14: a silent pack grows late within 5 s and stale within 15 s, and comes back [UC-1]", { skip: skipVar }, () =>
  withPage(real, "real check 14", `/v/${by(48)}`, {}, async (page) => {
    await page.waitForSelector("#figures[data-fresh=live]", { timeout: 20_000 });
    const pids = processes(real, new RegExp(`^pack.${by(48).replace(".", "\\.")}`));
    await page.evaluate(FOLLOW);
    freeze(pids);
    const at = Date.now();
    try {
      await page.waitForSelector("#figures[data-fresh=stale]");
      const turns = await page.evaluate(() => globalThis.turns);
      assert.ok(turns.late <= 5000, `late at ${turns.late} ms`);
      assert.ok(turns.stale <= 15_000, `stale at ${turns.stale} ms`);
      assert.ok(Date.now() - at >= 9000, "it takes ten periods");
      assert.equal(await page.locator(".vhead-state .badge").getAttribute("data-colour"), "no");
      assert.match(await page.locator("[data-figure=max] .number").innerText(), /\d/);
    } finally {
      kill(pids); // its supervisor starts it again
    }
    await page.waitForSelector("#figures[data-fresh=live]", { timeout: 30_000 });
  }));

test("real, check 15: a server that does not answer: bar within 15 s, writes disabled, recovery without a reload", { skip: skipVar }, () =>
  withContext(real, "real check 15", { mayLose: true }, async (context) => {
    const page = await openPage(context, real, `/v/${by(48)}/calibration`);
    await page.waitForSelector("tr[data-param]");
    await page.evaluate(() => (globalThis.sameDocument = true));
    const pids = processes(real, /^server/);
    freeze(pids);
    const at = Date.now();
    try {
      await page.waitForSelector(".bar-lost", { timeout: 17_000 });
      assert.ok(Date.now() - at <= 15_500, `bar after ${Date.now() - at} ms`);
      assert.equal(await page.locator("[data-do=calibrate]").isDisabled(), true);
      await page.locator(".cal-hint", { hasText: "No contact with the server." }).waitFor();
    } finally {
      thaw(pids);
    }
    const back = Date.now();
    await page.locator(".bar-lost").waitFor({ state: "detached", timeout: 15_000 });
    assert.ok(Date.now() - back <= 8000, `back after ${Date.now() - back} ms`);
    assert.equal(await page.evaluate(() => globalThis.sameDocument), true);
  }));

async function draft(page, text) {
  await page.locator(`tr[data-param=${PARAM}]`).dblclick({ position: { x: 300, y: 8 } });
  await page.locator(".editor input").fill(text);
  await page.keyboard.press("Enter");
}

const shown = async (page, which) => number(await page.locator(`tr[data-param=${PARAM}] [data-col=${which}]`).innerText());

test("real, check 19 to 21: drafts send nothing, Calibrate is read back, a restart takes it away, the banner gives it back [UC-3] [UC-5]", { skip }, () =>
  withPage(real, "real check 21", `/v/${by(48)}/calibration?q=${PARAM}`, {}, async (page) => {
    const id = by(48);
    const writes = [];
    page.on("request", (r) => r.method() === "POST" && r.url().includes("/ops") && writes.push(r.url()));
    await page.waitForSelector(`tr[data-param=${PARAM}]`);
    await until("a stored value", async () => (await shown(page, "stored")) > 0, 20_000, 200);
    const stored = await shown(page, "stored");
    const wanted = stored === 61 ? 62 : 61;
    await draft(page, "900");
    await page.locator(".refusal", { hasText: "Highest allowed: 800" }).waitFor();
    await page.keyboard.press("Escape");
    await draft(page, String(wanted));
    await page.locator("[data-drafts='1']").waitFor();
    await page.reload();
    await page.locator("[data-drafts='1']").waitFor();
    assert.deepEqual(writes, []);
    await page.click("[data-do=calibrate]");
    const sent = Date.now();
    await page.click("[data-do=send]");
    await page.waitForSelector("[data-op=done] .readback tr[data-ok=yes]", { timeout: 30_000 });
    await until("running shows it", async () => (await shown(page, "running")) === wanted && (await shown(page, "stored")) === stored, 20_000);
    console.log(`# calibrated, read back and shown after ${Date.now() - sent} ms`);
    assert.equal(writes.length, 1);
    const { boot } = await api.get(`/vehicles/${id}`);
    assert.equal((await api.call("POST", `/vehicles/${id}/ops`, { kind: "restart" })).status, 202);
    await until("the board starts again", async () => (await api.get(`/vehicles/${id}`)).boot !== boot, 60_000, 100);
    const at = Date.now();
    await page.locator("[data-banner=restart]", { hasText: /1 calibrated value is gone/ }).waitFor({ timeout: 5000 });
    assert.ok(Date.now() - at <= 3000, `banner after ${Date.now() - at} ms`);
    await until("back to stored", async () => (await shown(page, "running")) === stored, 20_000);
    await page.getByRole("button", { name: "Load as draft" }).click();
    await page.locator("[data-drafts='1']").waitFor();
    assert.equal(await shown(page, "draft"), wanted);
  }));

test("real, check 22: Flash lasts over a restart [UC-5]", { skip }, () =>
  withPage(real, "real check 22", `/v/${by(48)}/calibration?q=${PARAM}`, {}, async (page) => {
    const id = by(48);
    await until("a stored value", async () => (await shown(page, "stored").catch(() => 0)) > 0, 20_000, 200);
    const old = await shown(page, "stored");
    const flash = async (value) => {
      await draft(page, String(value));
      await page.click("[data-do=flash]");
      await page.fill("[name=reason]", "browser test");
      await page.fill("[name=confirm]", id.slice(-4));
      await page.click("[data-do=send]");
      await until("stored", async () => (await shown(page, "stored")) === value && (await shown(page, "running")) === value, 30_000, 200);
    };
    await flash(old === 71 ? 72 : 71);
    const { boot } = await api.get(`/vehicles/${id}`);
    await api.call("POST", `/vehicles/${id}/ops`, { kind: "restart" });
    await until("the board starts again", async () => (await api.get(`/vehicles/${id}`)).boot !== boot, 60_000, 100);
    await until("still there", async () => (await shown(page, "running")) === (old === 71 ? 72 : 71), 20_000);
    assert.equal(await page.locator("[data-banner=restart]").count(), 0);
    await flash(old);
  }));

for (const dark of [false, true])
  test(`real, check 30: axe finds nothing on any page: ${dark ? "dark" : "light"}`, { skip }, () =>
    withContext(real, "real check 30", { dark }, async (context) => {
      const page = await openPage(context, real, "/fleet");
      for (const [path, ready] of [["/fleet", ".vrow[data-id]"], [`/v/${by(96) ?? vehicles[0].id}`, "[data-figure=soc]"], [`/v/${by(160) ?? vehicles[0].id}/cells`, "[data-sentence]"], [`/v/${vehicles[0].id}/calibration`, "tr[data-param]"], [`/v/${vehicles[0].id}/history`, ".page-history canvas"]]) {
        await page.goto(real.url + path);
        await page.waitForSelector(ready);
        assert.deepEqual(await axe(page), [], path);
      }
    }));
