// SPDX-License-Identifier: Apache-2.0
// calibration.mjs -- Running, Stored, Draft: editing, review, the two writes, restart, files.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "../lib/suite.mjs";
import { forgive, until, withPage } from "../lib/browser.mjs";
import { withFixture } from "../lib/target.mjs";

const ID = "demo.bus-048";
const PATH = `/v/${ID}/calibration`;
const LIMIT = "cell_under_voltage_limit"; // 2750 mV, 0 to 4500
const writes = (fixture) => fixture.log.filter((r) => r.method === "POST" && !r.path.includes("/topics") && r.path !== "/session");
const col = (page, name, which) => page.locator(`tr[data-param=${name}] [data-col=${which}]`);
const row = (page, name) => page.locator(`tr[data-param=${name}]`);
const editor = (page) => page.locator(".editor input");

async function draft(page, name, text) {
  await row(page, name).dblclick({ position: { x: 300, y: 8 } });
  await editor(page).fill(text);
  await page.keyboard.press("Enter");
}

const open = (fixture, name, options, body) => withPage(fixture, name, PATH, options, async (page, context) => {
  await page.waitForSelector(options.phone ? ".param-card" : "tr[data-param]");
  await body(page, context);
});

test("check 19: double click, Enter and F2 open the editor, Esc restores [UC-3]", () =>
  withFixture((fixture) =>
    open(fixture, "check 19", {}, async (page) => {
      await row(page, LIMIT).dblclick({ position: { x: 300, y: 8 } });
      await editor(page).fill("2600");
      await page.keyboard.press("Escape");
      await editor(page).waitFor({ state: "detached" });
      assert.equal(await col(page, LIMIT, "draft").innerText(), "–");
      for (const key of ["Enter", "F2"]) {
        await col(page, LIMIT, "draft").locator("button").focus();
        await page.keyboard.press(key);
        await editor(page).fill("2700");
        await page.keyboard.press("Enter");
        await col(page, LIMIT, "draft").getByText("2\u202f700").waitFor();
        assert.equal(await page.evaluate(() => document.activeElement.closest("tr")?.dataset.param), LIMIT);
        await page.keyboard.press("Delete");
        await col(page, LIMIT, "draft").getByText("–").waitFor();
      }
      assert.deepEqual(writes(fixture), []);
    })));

const FIXED = "cell_over_voltage_reaction"; // 3 and nothing else

test("check 19: what can have one value alone is shown as fixed, with the reason, and no way opens an editor [UC-3]", () =>
  withFixture((fixture) =>
    open(fixture, "check 19 fixed", {}, async (page) => {
      assert.match(await row(page, FIXED).innerText(), /\n?fixed/);
      assert.equal(await row(page, FIXED).locator(".range").innerText(), "3");
      assert.equal(await row(page, FIXED).locator("button.draft").count(), 0);
      await row(page, FIXED).dblclick({ position: { x: 300, y: 8 } });
      assert.equal(await editor(page).count(), 0);
      await row(page, FIXED).locator(".param-info").click();
      const sheet = page.locator("dialog");
      assert.match(await sheet.innerText(), /Fixed: 3 is the only value allowed\.[^]*Why this value: the cell, the load or the reading cannot wait/);
      assert.equal(await sheet.getByText("Edit", { exact: true }).count(), 0);
      await page.keyboard.press("Escape");
      await col(page, "cell_over_voltage_warning_reaction", "draft").locator("button").focus(); // the row before: 0 or 1
      await page.keyboard.press("ArrowDown");
      await until("the keyboard goes past it", () => page.evaluate(() => document.activeElement.closest("tr")?.dataset.param === "cell_under_voltage_warning_reaction"));
      assert.deepEqual(writes(fixture), []);
    })));

test("check 19: on a phone a fixed value has no Edit [UC-3]", () =>
  withFixture((fixture) =>
    open(fixture, "check 19 fixed phone", { phone: true }, async (page) => {
      await page.locator(`.param-card[data-param=${FIXED}]`).click();
      await page.getByText("Fixed: 3 is the only value allowed.").waitFor();
      assert.equal(await page.locator("dialog").getByText("Edit", { exact: true }).count(), 0);
      await page.keyboard.press("Escape");
      await page.locator(".param-card[data-param=cell_over_voltage_warning_reaction]").click();
      await page.locator("dialog").getByText("Edit", { exact: true }).waitFor();
    })));

test("check 19: out of range is refused with the limit named; any number of edits sends nothing before Review [UC-3]", () =>
  withFixture((fixture) =>
    open(fixture, "check 19 range", {}, async (page) => {
      for (const [text, words] of [["4501", /Highest allowed: 4\s500\smV/], ["-1", /Lowest allowed: 0\smV/], ["2750.5", /Not a number in steps of 1\smV/], ["abc", /Not a number/]]) {
        await draft(page, LIMIT, text);
        assert.match(await page.locator(".refusal").innerText(), words);
        await page.keyboard.press("Escape");
      }
      for (const [i, text] of ["4500", "0", "2600"].entries()) {
        await draft(page, LIMIT, text);
        await until("kept", async () => (await col(page, LIMIT, "draft").innerText()).replace(/\s/g, "") === text);
        assert.ok(i >= 0);
      }
      await draft(page, "balance_start_mV", "60");
      await page.locator("[data-drafts='2']").waitFor();
      await draft(page, "balance_start_mV", "50"); // what runs already: no draft
      await page.locator("[data-drafts='1']").waitFor();
      assert.deepEqual(writes(fixture), []);
    })));

test("a pasted column fills the drafts from a row downwards in one step; one bad value, or one too many, and nothing is put in [UC-3]", () =>
  withFixture((fixture) =>
    open(fixture, "paste", {}, async (page) => {
      const paste = (text) =>
        page.evaluate((text) => {
          const data = new DataTransfer();
          data.setData("text", text);
          document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }, text);
      const names = await page.locator("tr[data-param]").evaluateAll((rows) => rows.map((r) => r.dataset.param));
      const at = names.indexOf(LIMIT);
      const [first, second] = [LIMIT, names[at + 1]];
      const text = async (name) => (await col(page, name, "running").innerText()).replace(/\s/g, "");
      const next = Number(await text(second)) + 1;
      await col(page, first, "draft").locator("button").focus();
      await paste(`2700\n9999999\n`);
      await page.locator(".cal-paste", { hasText: "Nothing was put in." }).waitFor();
      await page.locator("[data-drafts='0']").waitFor();
      await paste("1\n".repeat(names.length - at + 1));
      await page.locator(".cal-paste", { hasText: "rows are left" }).waitFor();
      await page.locator("[data-drafts='0']").waitFor();
      await paste(`2700\r\n${next}\r\n`);
      await page.locator("[data-drafts='2']").waitFor();
      assert.equal((await col(page, first, "draft").innerText()).replace(/\s/g, ""), "2700");
      await page.keyboard.press("Control+z");
      await page.locator("[data-drafts='0']").waitFor();
      assert.deepEqual(writes(fixture), []);
    })));

test("check 20: a reload keeps the drafts and their undo history [UC-3]", () =>
  withFixture((fixture) =>
    open(fixture, "check 20", {}, async (page) => {
      await draft(page, LIMIT, "2700");
      await draft(page, LIMIT, "2650");
      await draft(page, "balance_start_mV", "60");
      await page.reload();
      await page.locator("[data-drafts='2']").waitFor();
      await page.keyboard.press("Control+z");
      await page.locator("[data-drafts='1']").waitFor();
      await page.keyboard.press("Control+z");
      await col(page, LIMIT, "draft").getByText("2\u202f700").waitFor();
      await page.keyboard.press("Control+y");
      await col(page, LIMIT, "draft").getByText("2\u202f650").waitFor();
      assert.deepEqual(writes(fixture), []);
    })));

test("check 21: Calibrate shows the readback; a restart brings Stored back, the banner comes within 3 s, load as draft works [UC-5]", () =>
  withFixture((fixture) =>
    open(fixture, "check 21", {}, async (page) => {
      await draft(page, LIMIT, "2700");
      await draft(page, "balance_start_mV", "60");
      await page.click("[data-do=calibrate]");
      await page.locator("dialog", { hasText: "2\u202f700" }).waitFor();
      assert.equal(await page.evaluate(() => document.activeElement.dataset.do), "cancel");
      await page.click("[data-do=send]");
      await page.waitForSelector("[data-op=done]");
      await until("both read back", async () => (await page.locator(".readback tr[data-ok=yes]").count()) === 2);
      await row(page, LIMIT).getByText("not stored").waitFor();
      await page.locator("[data-drafts='0']").waitFor();
      await until("running and stored differ", async () => /2\s700/.test(await col(page, LIMIT, "running").innerText()) && /2\s750/.test(await col(page, LIMIT, "stored").innerText()));
      assert.deepEqual(writes(fixture).map((w) => w.path), [`/vehicles/${ID}/ops`]);
      fixture.restartBoard(ID);
      const at = Date.now();
      await page.locator("[data-banner=restart]", { hasText: /Restarted \d\d:\d\d: 2 calibrated values are gone/ }).waitFor({ timeout: 3000 });
      assert.ok(Date.now() - at <= 3000);
      await until("back to stored", async () => /2\s750/.test(await col(page, LIMIT, "running").innerText()));
      await page.getByRole("button", { name: "Load them as draft" }).click();
      await page.locator("[data-drafts='2']").waitFor();
      await col(page, LIMIT, "draft").getByText("2\u202f700").waitFor();
      await page.locator("[data-banner=restart]").waitFor({ state: "detached" });
    })));

test("check 21: a restart while the page was closed is told when it opens again [UC-5]", () =>
  withFixture((fixture) =>
    open(fixture, "check 21 closed", {}, async (page) => {
      await draft(page, LIMIT, "2700");
      await page.click("[data-do=calibrate]");
      await page.click("[data-do=send]");
      await page.waitForSelector("[data-op=done]");
      await row(page, LIMIT).getByText("not stored").waitFor();
      await page.goto("about:blank");
      fixture.restartBoard(ID);
      await page.goto(fixture.url + PATH);
      await page.locator("[data-banner=restart]", { hasText: "1 calibrated value is gone" }).waitFor();
    })));

test("check 22: Flash needs a reason and the right 4 characters; Enter and double click send nothing; then it lasts [UC-5]", () =>
  withFixture((fixture) =>
    open(fixture, "check 22", {}, async (page) => {
      await draft(page, LIMIT, "2700");
      await page.click("[data-do=flash]");
      const send = page.locator("[data-do=send]");
      await page.fill("[name=confirm]", "-049");
      await page.getByText("These are not the last 4 characters").waitFor();
      await page.fill("[name=reason]", "cells were replaced");
      for (const field of ["[name=confirm]", "[name=reason]"]) {
        await page.focus(field);
        await page.keyboard.press("Enter");
      }
      await send.dblclick({ force: true });
      await page.fill("[name=confirm]", "-048");
      await page.fill("[name=reason]", "");
      assert.equal(await send.isDisabled(), true);
      await page.fill("[name=reason]", "cells were replaced");
      await page.keyboard.press("Enter");
      assert.deepEqual(writes(fixture), []);
      await send.dblclick();
      await page.waitForSelector("[data-op=done][data-kind=flash]");
      assert.equal(writes(fixture).length, 1);
      await until("stored", async () => /2\s700/.test(await col(page, LIMIT, "stored").innerText()));
      fixture.restartBoard(ID);
      await until("still there", async () => /2\s700/.test(await col(page, LIMIT, "running").innerText()));
      assert.equal(await page.locator("[data-banner=restart]").count(), 0);
    })));

test("a value on the wrong side of its partner blocks the write and names both [UC-3]", () =>
  withFixture((fixture) =>
    open(fixture, "crossed", {}, async (page) => {
      await draft(page, LIMIT, "3100"); // must stay below its clearing value, 3000
      await page.click("[data-do=calibrate]");
      await page.locator(".crossed", { hasText: "Cell under-voltage: limit must stay below Cell under-voltage: back to normal at" }).waitFor();
      assert.equal(await page.locator("[data-do=send]").isDisabled(), true);
    })));

test("what the server refuses is shown with every field, and the drafts stay [UC-3]", () =>
  withFixture((fixture) => {
    fixture.catalogue = structuredClone(fixture.catalogue);
    return open(fixture, "refused", { mayLose: true }, async (page) => {
      await draft(page, LIMIT, "2700");
      fixture.catalogue.params.find((p) => p.name === LIMIT).max = 2600;
      await page.click("[data-do=calibrate]");
      await page.click("[data-do=send]");
      await page.locator("dialog .problem", { hasText: "cell_under_voltage_limit: 2700 is outside" }).waitFor();
      await page.click("[data-do=cancel]");
      await page.locator("[data-drafts='1']").waitFor();
    });
  }).finally(() => forgive("refused", /422/)));


test("export then import is no difference; a changed file becomes drafts, a wrong one is named and loads nothing [UC-4]", () =>
  withFixture((fixture) =>
    open(fixture, "files", {}, async (page) => {
      const waiting = page.waitForEvent("download");
      await page.getByRole("button", { name: "Export" }).click();
      const download = await waiting;
      assert.equal(download.suggestedFilename(), `${ID}-parameters.json`);
      const file = JSON.parse(readFileSync(await download.path(), "utf8"));
      const give = (name, content) => page.setInputFiles("input[type=file]", { name, mimeType: "application/json", buffer: Buffer.from(JSON.stringify(content)) });
      await give("same.json", file);
      await page.locator("dialog", { hasText: "The file holds what runs already." }).waitFor();
      await page.keyboard.press("Escape");
      await give("wrong.json", { ...file, cells: 160, values: { ...file.values, [LIMIT]: 9999, nonsense: 1 } });
      await page.locator("dialog", { hasText: /another pack[\s\S]*cell_under_voltage_limit[\s\S]*nonsense/ }).waitFor();
      assert.equal(await page.locator("[data-do=load]").isDisabled(), true);
      await page.keyboard.press("Escape");
      await give("good.json", { ...file, values: { ...file.values, [LIMIT]: 2700, balance_start_mV: 60 } });
      await page.click("[data-do=load]");
      await page.locator("[data-drafts='2']").waitFor();
      assert.deepEqual(writes(fixture), []);
    })));

test("a read that the server does by itself neither hinders a write nor is shown as an operation", () =>
  withFixture((fixture) =>
    open(fixture, "server reads", {}, async (page) => {
      await draft(page, LIMIT, "2700");
      fixture.send("op", "v:" + ID, { op: "r1", id: ID, kind: "read", by: "server", reason: null, state: "sent", detail: null, created_at: Date.now(), changed_at: Date.now() });
      await page.waitForTimeout(300);
      assert.equal(await page.locator("[data-op]").count(), 0);
      assert.equal(await page.locator("[data-do=calibrate]").isDisabled(), false);
    })));

test("a viewer reads and compares, and has no control that writes [UC-3]", () =>
  withFixture((fixture) =>
    open(fixture, "viewer", { as: { user: "viewer", password: "viewer" } }, async (page) => {
      await page.getByText("Your role may read parameters, not change them.").waitFor();
      assert.equal(await page.locator("[data-do], .draft, input[type=file]").count(), 0);
      await row(page, LIMIT).dblclick();
      assert.equal(await editor(page).count(), 0);
    })));

test("on a phone a parameter opens in a full-screen sheet and is edited there [UC-3]", () =>
  withFixture((fixture) =>
    open(fixture, "phone sheet", { phone: true }, async (page) => {
      await page.locator(`.param-card[data-param=${LIMIT}]`).tap();
      await page.locator("dialog").getByRole("button", { name: "Edit" }).tap();
      await page.locator("dialog input").fill("9999");
      await page.getByRole("button", { name: "Keep as draft" }).tap();
      await page.locator("dialog .refusal", { hasText: /Highest allowed: 4\s500/ }).waitFor();
      await page.locator("dialog input").fill("2700");
      await page.getByRole("button", { name: "Keep as draft" }).tap();
      await page.locator("[data-drafts='1']").waitFor();
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    })));
