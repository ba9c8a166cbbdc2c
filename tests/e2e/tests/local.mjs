// SPDX-License-Identifier: Apache-2.0
// local.mjs -- the vehicle pages over a cable: the real cellwarden-local on a real simulated pack (CELLWARDEN_BIN names the folder of the programs;
// CELLWARDEN_CATALOGUE the catalogue, else beside it). No server, no broker, no database runs.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { axe, forgive, newContext, picture, sideways, until } from "../lib/browser.mjs";
import { OtherBoard } from "../lib/otherboard.mjs";
import { testReal as test } from "../lib/suite.mjs";

const BIN = process.env.CELLWARDEN_BIN ?? "";
const skip = existsSync(join(BIN, "cellwarden-local")) && BIN ? false : "CELLWARDEN_BIN names no folder with cellwarden-local";
const CATALOGUE = process.env.CELLWARDEN_CATALOGUE ?? join(BIN, "../proto/catalogue.json");
const WEB = new URL("../../../server/web/dist", import.meta.url).pathname;
const PARAM = "balance_start_mV";
const ID = "local.board";
const number = (text) => Number(text.replace(/\s/g, "").replace("−", "-"));

function start(program, args, out) {
  const child = spawn(join(BIN, program), args, { stdio: ["ignore", "pipe", "pipe"] });
  child.said = "";
  child.stdout.on("data", (d) => (child.said += d));
  child.stderr.on("data", (d) => writeFileSync(out, d, { flag: "a" }));
  return child;
}

async function stop(child) {
  if (child.exitCode !== null) return;
  const gone = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  await gone;
}

/* A pack, the local program, one page of it. */
async function withCable(name, options, body) {
  const folder = mkdtempSync(join(tmpdir(), "cw-cable-"));
  const { path = "/", pack = [], ...context } = options;
  const hub = join(folder, "hub");
  const packArgs = ["--name", "demo.bus-048", "--scenario", "drive", "--cells", "48", "--hub", hub, "--nvm", join(folder, "nvm"), "--slot", join(folder, "slot"), ...pack];
  let board = start("cellwarden-pack", packArgs, join(folder, "pack.log"));
  const local = start("cellwarden-local", ["--hub", hub, "--listen", "127.0.0.1:0", "--web", WEB, "--catalogue", CATALOGUE], join(folder, "local.log"));
  let browser = null;
  try {
    const url = await until("an address", () => /^http:\S+/.exec(local.said)?.[0], 10_000);
    const target = { url: new URL(url).origin };
    browser = await newContext(target, name, context);
    const page = await browser.newPage();
    await page.goto(target.url + path);
    await page.waitForSelector("header.top");
    const cable = {
      page, target, folder, browser,
      unplug: () => stop(board),
      plug: () => (board = start("cellwarden-pack", packArgs, join(folder, "pack.log"))),
    };
    return await body(cable);
  } catch (e) {
    e.message += `\nlocal: ${readFileSync(join(folder, "local.log"), "utf8").slice(-1000)}`;
    throw e;
  } finally {
    await browser?.close();
    await stop(local);
    await stop(board);
    rmSync(folder, { recursive: true, force: true });
  }
}

const cell = (page, which, name = PARAM) => page.locator(`tr[data-param=${name}] [data-col=${which}]`);
const shown = async (page, which) => number(await cell(page, which).innerText());

async function draft(page, text, name = PARAM) {
  await page.locator(`tr[data-param=${name}]`).dblclick({ position: { x: 300, y: 8 } });
  await page.locator(".editor input").fill(text);
  await page.keyboard.press("Enter");
}

async function restart(page, target) {
  const { boot } = await (await fetch(`${target.url}/api/v1/vehicles/${ID}`)).json();
  await page.goto(`${target.url}/v/${ID}/upgrade`);
  await page.locator("[data-restart] [name=confirm]").fill(ID.slice(-4));
  await page.click("[data-do=restart]");
  await until("another start", async () => (await (await fetch(`${target.url}/api/v1/vehicles/${ID}`)).json()).boot !== boot, 20_000, 100);
}

async function calibration(page, target) {
  await page.goto(`${target.url}/v/${ID}/calibration?q=balance`);
  await until("values of the board", async () => (await shown(page, "stored").catch(() => 0)) > 0, 15_000);
}

test("cable: the overview opens by itself, live, without fleet, users and sign-in; supplies and what is left in the pack are there [UC-1] [ES-4]", { skip }, () =>
  withCable("cable overview", {}, async ({ page }) => {
    await page.waitForURL(`**/v/${ID}`);
    await page.waitForSelector("#figures[data-fresh=live]", { timeout: 15_000 });
    assert.match(await page.locator("[data-figure=soc] .number").innerText(), /^\d/);
    assert.equal(await page.locator("#relays .bit").count(), 4);
    for (const name of ["supply_mV", "keyon_mV", "charger_wake_mV"]) assert.match(await page.locator(`#supply [data-signal=${name}] dd`).innerText(), /^\d+(\.\d+)?\sV$/, name);
    for (const name of ["capacity_left_mAh", "energy_left_Wh"]) assert.match(await page.locator(`#signals [data-signal=${name}] dd`).innerText(), /^[\d\s]+(\.\d+)?\s(Ah|Wh|kWh)$/, name);
    assert.equal(await page.locator("a[href='/fleet']").count(), 0);
    await page.locator(".cable-mark", { hasText: "Cable" }).waitFor();
    const before = await page.locator("[data-figure=voltage]").innerText();
    await until("the values move", async () => (await page.locator("[data-figure=voltage]").innerText()) !== before, 15_000, 200);
    await page.waitForTimeout(1500);
    await picture(page, "cable-overview.png");
  }));

test("cable: what the charger sends is shown while it charges [UC-1] [AC-3]", { skip }, () =>
  withCable("cable charger", { pack: ["--scenario", "charge", "--charger", "gbt"] }, async ({ page }) => {
    await page.waitForSelector("#figures[data-fresh=live]", { timeout: 15_000 });
    const value = (name) => page.locator(`#signals [data-signal=${name}] dd`).innerText();
    await until("the charger gives current", async () => number((/^[\d\s.]+/.exec(await value("charger_current_dA")) ?? ["0"])[0]) > 1, 40_000, 200);
    assert.match(await value("charger_voltage_dV"), /^[\d\s]+\.\d\sV$/);
    assert.equal(await page.locator("#relays .bit-on").count() > 0, true);
  }));

test("cable: every cell, the extremes named, and history of the minutes since the cable was plugged [UC-2]", { skip }, () =>
  withCable("cable cells", { path: `/v/${ID}/cells` }, async ({ page, target }) => {
    await page.waitForSelector("#cell-table tbody tr", { timeout: 15_000 });
    assert.equal(await page.locator("#cell-table tbody tr").count(), 48);
    await page.waitForSelector("[data-sentence]");
    await page.goto(`${target.url}/v/${ID}/history`);
    await page.waitForSelector(".page-history canvas", { timeout: 15_000 });
  }));

test("cable: export, edit, import, calibrate, restart: the old value; flash, restart: the new one; all else identical [UC-3] [UC-4] [UC-5]", { skip }, () =>
  withCable("cable calibration", { acceptDownloads: true }, async ({ page, target, folder }) => {
    await page.waitForURL(`**/v/${ID}`);
    await calibration(page, target);
    const stored = await shown(page, "stored");
    const waiting = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export" }).click();
    const file = join(folder, "params.json");
    await (await waiting).saveAs(file);
    const old = JSON.parse(readFileSync(file, "utf8"));
    assert.equal(old.values[PARAM], stored);
    const edited = { ...old, values: { ...old.values, [PARAM]: stored + 7 } };
    writeFileSync(file, JSON.stringify(edited));
    await page.setInputFiles("input[type=file]", file);
    await page.click("[data-do=load]");
    await page.locator("[data-drafts='1']").waitFor();
    await page.click("[data-do=calibrate]");
    await page.click("[data-do=send]");
    await page.waitForSelector("[data-op=done] .readback tr[data-ok=yes]");
    await until("running shows it", async () => (await shown(page, "running")) === stored + 7 && (await shown(page, "stored")) === stored);
    await picture(page, "cable-calibration.png");

    await restart(page, target);
    await calibration(page, target);
    await until("the old value runs", async () => (await shown(page, "running")) === stored, 15_000, 100);

    await page.setInputFiles("input[type=file]", file);
    await page.click("[data-do=load]");
    await page.click("[data-do=flash]");
    await page.fill("[name=reason]", "browser test");
    await page.fill("[name=confirm]", ID.slice(-4));
    await page.click("[data-do=send]");
    await page.waitForSelector("[data-op=done] .readback tr[data-ok=yes]");
    await restart(page, target);
    await calibration(page, target);
    await until("the new value runs", async () => (await shown(page, "running")) === stored + 7 && (await shown(page, "stored")) === stored + 7, 15_000, 100);
    const again = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export" }).click();
    const after = join(folder, "after.json");
    await (await again).saveAs(after);
    assert.deepEqual(JSON.parse(readFileSync(after, "utf8")).values, edited.values);
    assert.deepEqual(JSON.parse(readFileSync(after, "utf8")).stored, edited.values);
  }));

test("cable: unplugged it says so and offers no write; plugged again it goes on without a reload [UC-1]", { skip }, () =>
  withCable("cable unplugged", {}, async ({ page, target, unplug, plug }) => {
    await page.waitForSelector("#figures[data-fresh=live]", { timeout: 15_000 });
    await calibration(page, target);
    await draft(page, "63");
    await unplug();
    await page.locator("[data-do=calibrate]:disabled").waitFor({ timeout: 15_000 });
    plug();
    await page.locator("[data-do=calibrate]:not(:disabled)").waitFor({ timeout: 20_000 });
  }));

test("cable: an upgrade is refused while contactors are closed; a wrong file is refused by the board [UC-7]", { skip }, () =>
  withCable("cable upgrade", { path: `/v/${ID}/upgrade` }, async ({ page, target, folder }) => {
    await page.waitForSelector("[name=program]", { timeout: 15_000 });
    const file = join(folder, "program.bin");
    writeFileSync(file, Buffer.alloc(5000, 1));
    await page.setInputFiles("[name=program]", file);
    await page.locator(".page-upgrade .guard [name=confirm]").first().fill(ID.slice(-4));
    await page.locator(".tick-no").first().waitFor();
    assert.equal(await page.locator("[data-do=upgrade]").isDisabled(), true);
    await picture(page, "cable-upgrade.png");
    const { csrf } = await (await fetch(`${target.url}/api/v1/session`)).json();
    const send = (confirm) => fetch(`${target.url}/api/v1/vehicles/${ID}/upgrade?confirm=${confirm}`, { method: "POST", headers: { "X-CSRF": csrf, "Content-Type": "application/octet-stream" }, body: Buffer.alloc(5000, 1) });
    assert.equal((await send("nope")).status, 422);
    assert.equal((await send(ID.slice(-4))).status, 202);
    await page.waitForSelector("[data-upgrade=failed]");
    assert.match(await page.locator("[data-upgrade] .op-detail").innerText(), /contactors must be open/);
  }));

async function calibrate(target, id, value) {
  const { csrf } = await (await fetch(`${target.url}/api/v1/session`)).json();
  const headers = { "Content-Type": "application/json", "X-CSRF": csrf };
  await fetch(`${target.url}/api/v1/vehicles/${ID}/ops`, { method: "POST", headers, body: JSON.stringify({ kind: "calibrate", values: [{ id, value }] }) });
}

/* A program as the board takes it: MCUboot's header and a body. */
function program(bytes) {
  const image = Buffer.alloc(32 + bytes, 0x5a);
  image.fill(0, 0, 32);
  image.writeUInt32LE(0x96f3b83d, 0);
  image.writeUInt16LE(32, 8);
  image.writeUInt32LE(bytes, 12);
  return image;
}

test("cable: a program is chosen, loaded with progress, checked, and the board restarts [UC-7]", { skip }, () =>
  withCable("cable program", { path: `/v/${ID}/upgrade` }, async ({ page, target, folder }) => {
    await page.waitForSelector("[name=program]", { timeout: 15_000 });
    const { params } = await (await fetch(`${target.url}/api/v1/catalogue`)).json();
    await calibrate(target, params.find((p) => p.name === "vcu_orders").id, 1); // nobody orders the contactors closed
    const file = join(folder, "program.bin");
    writeFileSync(file, program(60_000));
    await page.setInputFiles("[name=program]", file);
    await page.locator(".page-upgrade .guard [name=confirm]").first().fill(ID.slice(-4));
    await page.locator("[data-do=upgrade]:not(:disabled)").waitFor();
    await page.click("[data-do=upgrade]");
    await page.waitForSelector("[data-upgrade=working]");
    await page.locator("[data-upgrade=done]", { hasText: "has restarted" }).waitFor();
    await picture(page, "cable-upgraded.png");
    assert.deepEqual(readFileSync(join(folder, "slot")).subarray(0, 60_032), program(60_000));
  }));

test("cable: a failure is simulated behind the guard, alarms, and is ended from the page [UC-6]", { skip }, () =>
  withCable("cable failure", { path: `/v/${ID}/failures` }, async ({ page }) => {
    await page.waitForSelector("[name=alarm] option:nth-child(2)", { state: "attached", timeout: 15_000 });
    assert.equal(await page.locator("[data-do=simulate]").isDisabled(), true);
    await page.selectOption("[name=alarm]", "2"); // cell over-voltage
    await page.locator("[name=confirm]").fill("nope");
    assert.equal(await page.locator("[data-do=simulate]").isDisabled(), true);
    await page.locator("[name=confirm]").fill(ID.slice(-4));
    await page.click("[data-do=simulate]");
    await page.waitForSelector("[data-active='1']");
    await page.waitForSelector(".vhead-state [data-state=alarm]");
    await page.waitForTimeout(6500); // longer than S3: it is kept
    assert.equal(await page.locator("[data-active='1']").count(), 1);
    await picture(page, "cable-failures.png");
    await page.click("[data-do=end]");
    await page.locator("[data-active]").waitFor({ state: "detached" });
  }));

test("cable: a board with other tables: nothing is written, both hashes are named, and its own are read and shown by their names [UC-3]", { skip }, async () => {
  const ours = JSON.parse(readFileSync(CATALOGUE, "utf8"));
  const board = new OtherBoard(ours, PARAM);
  const folder = mkdtempSync(join(tmpdir(), "cw-other-"));
  const words = ["--slcan", `127.0.0.1:${await board.listen()}`, "--listen", "127.0.0.1:0", "--web", WEB, "--catalogue", CATALOGUE];
  const local = start("cellwarden-local", words, join(folder, "local.log"));
  let browser = null;
  try {
    const url = await until("an address", () => /^http:\S+/.exec(local.said)?.[0], 10_000);
    browser = await newContext({ url: new URL(url).origin }, "cable other tables", {});
    const page = await browser.newPage();
    await page.goto(`${new URL(url).origin}/v/${ID}/calibration`);
    await page.waitForSelector("[data-other]", { timeout: 15_000 });
    const said = await page.locator("[data-other] [role=status]").innerText();
    assert.ok(said.includes(board.hash) && said.includes(ours.hash), said);
    assert.equal(await page.locator("[data-do=calibrate]").isVisible(), false);
    assert.equal(await page.locator(".vhead-state [data-state=ok]").count(), 0, "without a sample nothing is OK");
    await page.click("[data-do=tables]");
    const row = page.locator("[data-tables=board] tr[data-param=of_another_year]");
    await row.waitFor({ timeout: 20_000 });
    assert.deepEqual((await row.locator("td").allInnerTexts()).map((s) => s.trim()), ["of_another_year", "-3", "-3", "furlong", "-5 … 5"]);
    assert.equal(await page.locator("[data-tables=board] tr[data-param=balance_begin_mV]").count(), 1);
    assert.equal(await page.locator(`[data-tables=board] tr[data-param=${PARAM}]`).count(), 0);
    assert.equal(await page.locator("[data-tables=board] tbody tr").count(), board.tables.params.length);
    await page.locator("[data-other] input[type=search]").fill("balance");
    await picture(page, "cable-tables.png");
    assert.deepEqual(await axe(page), []);
    assert.equal(await sideways(page), 0);
    const { csrf } = await (await fetch(`${new URL(url).origin}/api/v1/session`)).json();
    const ops = `${new URL(url).origin}/api/v1/vehicles/${ID}/ops`;
    const headers = { "Content-Type": "application/json", "X-CSRF": csrf };
    const op = await (await fetch(ops, { method: "POST", headers, body: JSON.stringify({ kind: "calibrate", values: [{ id: 80, value: 60 }] }) })).json();
    const ended = await until("the write is refused", async () => {
      const now = await (await fetch(`${new URL(url).origin}/api/v1/ops/${op.op}`)).json();
      return now.state === "failed" ? now : null;
    }, 15_000, 100);
    assert.ok(ended.detail.includes(board.hash), ended.detail);
    assert.equal(board.writes, 0);
  } catch (e) {
    e.message += `\nlocal: ${readFileSync(join(folder, "local.log"), "utf8").slice(-1000)}`;
    throw e;
  } finally {
    await browser?.close();
    await stop(local);
    board.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("cable: only this computer may ask, and only with the token may it write", { skip }, () =>
  withCable("cable guard", {}, async ({ page, target }) => {
    await page.waitForURL(`**/v/${ID}`);
    const ops = `${target.url}/api/v1/vehicles/${ID}/ops`;
    const post = (headers) => fetch(ops, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: '{"kind":"read"}' });
    assert.equal((await post({})).status, 403);
    assert.equal((await post({ "X-CSRF": "0".repeat(64) })).status, 403);
    const { csrf } = await (await fetch(`${target.url}/api/v1/session`)).json();
    assert.equal((await post({ "X-CSRF": csrf })).status, 202);
    const other = await fetch(`${target.url}/api/v1/vehicles/demo.other`);
    assert.equal(other.status, 404);
  }));

for (const [kind, options] of [["desktop", {}], ["dark", { dark: true }], ["phone", { phone: true }]])
  test(`cable, check 30: axe finds nothing on any page, nothing sticks out sideways: ${kind}`, { skip }, () =>
    withCable(`cable axe ${kind}`, options, async ({ page, target }) => {
      await page.waitForURL(`**/v/${ID}`);
      for (const [path, ready] of [["", "[data-figure=soc]"], ["/cells", "[data-sentence]"], ["/calibration", kind === "phone" ? ".param-card" : "tr[data-param]"], ["/upgrade", "[name=program]"], ["/failures", "[name=alarm]"]]) {
        await page.goto(`${target.url}/v/${ID}${path}`);
        await page.waitForSelector(ready, { timeout: 15_000 });
        assert.deepEqual(await axe(page), [], path);
        assert.equal(await sideways(page), 0, `sideways ${path}`);
        if (kind === "phone" && path === "") {
          await page.waitForSelector("#figures[data-fresh=live]");
          await picture(page, "cable-phone.png");
        }
      }
      forgive(`cable axe ${kind}`, /favicon/);
    }));
