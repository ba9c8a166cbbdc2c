// SPDX-License-Identifier: Apache-2.0
// access.mjs -- axe on every page in every state and both themes; states told without colour; keyboard alone.
import assert from "node:assert/strict";
import { test } from "../lib/suite.mjs";
import { axe, withContext, openPage, until, withPage } from "../lib/browser.mjs";
import { withFixture } from "../lib/target.mjs";

const PAGES = [
  ["/fleet", ".attention li"],
  ["/v/demo.bus-096", "[data-figure=soc] .number"],
  ["/v/demo.bus-160/cells", "[data-sentence]"],
  ["/v/demo.bus-096/calibration", ".cal-short"],
  ["/v/demo.bus-096/history", ".page-history canvas"],
  ["/users", "[data-user=admin]"],
];

async function clean(page, where) {
  assert.deepEqual(await axe(page), [], where);
}

for (const dark of [false, true]) {
  for (const phone of [false, true]) {
    test(`check 30: axe finds nothing on any page, live: ${dark ? "dark" : "light"}, ${phone ? "phone" : "desktop"}`, () =>
      withFixture(async (fixture) => {
        await withContext(fixture, "check 30", { dark, phone }, async (context) => {
        const page = await context.newPage();
        await page.goto(fixture.url + "/fleet");
        await page.waitForSelector("[name=user]");
        await clean(page, "sign-in");
        await page.close();
        const inside = await openPage(context, fixture, "/fleet");
        for (const [path, ready] of PAGES) {
          await inside.goto(fixture.url + path);
          await inside.waitForSelector(ready);
          await clean(inside, path);
        }
        });
      }));
  }

  test(`check 30: axe finds nothing on stale, offline, empty and failed pages and in dialogs: ${dark ? "dark" : "light"}`, () =>
    withFixture(async (fixture) => {
      await withContext(fixture, "check 30 states", { dark, mayLose: true }, async (context) => {
      const page = await openPage(context, fixture, "/v/demo.bus-007");
      await page.waitForSelector("#figures[data-fresh=offline]");
      await clean(page, "offline");
      await page.goto(fixture.url + "/fleet?f=nothing");
      await page.getByText("No vehicle matches.").waitFor();
      await clean(page, "empty");
      await page.goto(fixture.url + "/v/demo.bus-160/cells?cell=3");
      await page.waitForSelector("dialog");
      await clean(page, "cell sheet");
      await page.goto(fixture.url + "/v/demo.bus-160/calibration");
      await page.waitForSelector("tr[data-param]");
      await page.locator("tr[data-param=balance_start_mV]").dblclick({ position: { x: 300, y: 8 } });
      await page.keyboard.type("20");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".refusal");
      await clean(page, "refused edit");
      await page.keyboard.press("Escape");
      await page.locator("tr[data-param=balance_start_mV]").dblclick({ position: { x: 300, y: 8 } });
      await page.keyboard.type("60");
      await page.keyboard.press("Enter");
      await page.click("[data-do=flash]");
      await page.waitForSelector("[name=confirm]");
      await clean(page, "flash dialog");
      await page.keyboard.press("Escape");
      await page.goto(fixture.url + "/users");
      await page.click("[data-user=viewer] [data-do=password]");
      await page.waitForSelector("[name=password]");
      await clean(page, "new password dialog");
      fixture.failing.set("/fleet/rows", 503);
      await page.goto(fixture.url + "/fleet");
      await page.waitForSelector(".problem");
      await clean(page, "failed");
      fixture.failing.clear();
      await page.goto(fixture.url + "/v/demo.bus-096");
      await page.waitForSelector("#figures[data-fresh=live]");
      await fixture.stop();
      await page.waitForSelector("#figures[data-fresh=stale]");
      await clean(page, "stale");
      await fixture.start();
      });
    }));
}

test("check 31: in greyscale and in four kinds of vision the states differ in shape and word", () =>
  withFixture((fixture) =>
    withPage(fixture, "check 31", "/fleet", {}, async (page, context) => {
      await page.waitForSelector(".vrow[data-id]");
      const cdp = await context.newCDPSession(page);
      for (const type of ["none", "achromatopsia", "protanopia", "deuteranopia", "tritanopia"]) {
        await cdp.send("Emulation.setEmulatedVisionDeficiency", { type });
        const badges = await page.locator(".counts .count").evaluateAll((all) => all.map((b) => [b.querySelector(".count-w").textContent.trim(), b.querySelector("svg").innerHTML, getComputedStyle(b.querySelector("svg")).strokeDasharray]));
        assert.deepEqual(badges.map((b) => b[0]), ["Alarm", "Warning", "OK", "Offline"]);
        assert.equal(new Set(badges.map((b) => b[1])).size, 4, "four shapes");
        const shots = [];
        for (const s of ["alarm", "warning", "ok", "offline"]) shots.push((await page.locator(`[data-count=${s}] svg`).screenshot()).toString("base64"));
        assert.equal(new Set(shots).size, 4, `four pictures under ${type}`);
      }
    })));

test("check 32: keyboard alone: find a vehicle, open it, edit, review, cancel; focus comes back", () =>
  withFixture((fixture) =>
    withPage(fixture, "check 32", "/fleet", {}, async (page) => {
      await page.waitForSelector(".vrow[data-id]");
      const tabTo = async (what, done) => {
        await until(what, async () => {
          await page.keyboard.press("Tab");
          return page.evaluate(done);
        }, 15_000, 0);
      };
      await tabTo("search", () => document.activeElement?.type === "search");
      await page.keyboard.type("bus-048");
      await until("one row", async () => (await page.locator(".vrow[data-id]").count()) === 1);
      await tabTo("the vehicle", () => document.activeElement?.getAttribute("href") === "/v/demo.bus-048");
      await page.keyboard.press("Enter");
      await page.waitForSelector("#figures[data-fresh=live]");
      await tabTo("calibration", () => document.activeElement?.textContent === "Calibration" && document.activeElement.tagName === "A");
      await page.keyboard.press("Enter");
      await page.waitForSelector("tr[data-param]");
      await tabTo("the first draft", () => document.activeElement?.classList.contains("draft"));
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("F2");
      await page.keyboard.type("4100");
      await page.keyboard.press("Enter");
      await page.locator("[data-drafts='1']").waitFor();
      await until("back on the row", () => page.evaluate(() => document.activeElement?.classList.contains("draft")));
      await page.locator("[data-do=calibrate]").focus();
      await page.keyboard.press("Enter");
      await page.waitForSelector("dialog");
      await page.keyboard.press("Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
      assert.equal(await page.evaluate(() => document.activeElement?.dataset.do), "calibrate");
    })));
