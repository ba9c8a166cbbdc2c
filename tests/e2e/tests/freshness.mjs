// SPDX-License-Identifier: Apache-2.0
// freshness.mjs -- what the console says when values grow old, when the vehicle goes, when the server goes, with a wrong PC clock.
import assert from "node:assert/strict";
import { test } from "../lib/suite.mjs";
import { withContext, openPage, until, withPage } from "../lib/browser.mjs";
import { withFixture } from "../lib/target.mjs";

const BUS = "demo.bus-096";

/* Shift the page's clock by an hour: Date is wrong, as on a PC whose battery is empty. */
const WRONG_CLOCK = () => {
  const RealDate = Date;
  const off = -3_600_000;
  globalThis.Date = class extends RealDate {
    constructor(...a) {
      if (a.length) super(...a);
      else super(RealDate.now() + off);
    }
    static now() {
      return RealDate.now() + off;
    }
  };
};

/* Note each change of the freshness with the age that the page shows at that moment: a busy machine delays the onlooker, not the page. */
export const FOLLOW = () => {
  globalThis.turns = {};
  const note = () => {
    const level = document.querySelector("#figures")?.dataset.fresh;
    const shown = document.querySelector(".vhead-state .age")?.dataset.age;
    if (level && shown) globalThis.turns[level] ??= Number(shown);
  };
  new MutationObserver(note).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-fresh"] });
};

/* Stop the frames and follow the page through late and stale. */
async function growOld(fixture, page) {
  const v = fixture.vehicles.get(BUS);
  await page.waitForSelector("[data-state=alarm][data-colour=yes]");
  await page.evaluate(FOLLOW);
  v.running = false;
  const at = v.last.measured_at;
  await page.waitForSelector("#figures[data-fresh=stale]");
  const turns = await page.evaluate(() => globalThis.turns);
  assert.ok(turns.late <= 5000, `late at ${turns.late} ms`);
  assert.ok(turns.stale <= 15_000, `stale at ${turns.stale} ms`);
  await page.waitForSelector("[data-state=alarm][data-colour=no]");
  const before = Date.now();
  const shown = Number(await page.locator(".vhead-state .age").getAttribute("data-age"));
  assert.ok(shown >= before - at - 2000 && shown <= Date.now() - at + 2000, `age ${shown}, true ${before - at}`);
  assert.match(await page.locator("[data-figure=min] .number").innerText(), /2\s731/);
}

test("check 14: frames stop: late within 5 s, stale within 15 s, the colour goes, age and last value stay right; also with a clock 1 h wrong [UC-1]", () =>
  withFixture((fixture) =>
    withPage(fixture, "check 14 clock", `/v/${BUS}`, { init: WRONG_CLOCK }, (wrong) =>
      withPage(fixture, "check 14", `/v/${BUS}`, {}, async (right) => {
        assert.ok(Math.abs((await wrong.evaluate(() => Date.now())) - Date.now() + 3_600_000) < 60_000, "the clock is wrong");
        for (const page of [wrong, right]) await page.waitForSelector("#figures[data-fresh=live]");
        await Promise.all([growOld(fixture, wrong), growOld(fixture, right)]);
      }))));

test("a vehicle that goes offline says since when, and its last known values stay under that name [UC-1]", () =>
  withFixture((fixture) =>
    withPage(fixture, "offline", `/v/${BUS}`, {}, async (page) => {
      await page.waitForSelector("#figures[data-fresh=live]");
      fixture.vehicles.get(BUS).running = false;
      fixture.link(BUS, false);
      await page.waitForSelector("#figures[data-fresh=offline]");
      await page.getByText("Last known values", { exact: true }).waitFor();
      await page.locator(".vhead-state", { hasText: /Offline since \d\d:\d\d/ }).waitFor();
      await page.waitForSelector("[data-state=offline]");
      assert.match(await page.locator("[data-figure=min] .number").innerText(), /2\s731/);
    })));

test("check 15: the server stops: bar within 15 s, writes disabled with the reason, recovery without a reload within 5 s", () =>
  withFixture(async (fixture) => {
    await withContext(fixture, "check 15", { mayLose: true }, async (context) => {
    const page = await openPage(context, fixture, `/v/${BUS}/calibration`);
    await page.waitForSelector("tr[data-param]");
    await page.evaluate(() => (globalThis.sameDocument = true));
    const row = page.locator("tr[data-param=cell_under_voltage_limit]");
    await row.dblclick({ position: { x: 20, y: 8 } });
    await page.locator(".editor input").fill("2700");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-do=calibrate]:not([disabled])");
    const { port } = fixture;
    await fixture.stop();
    const gone = Date.now();
    await page.waitForSelector(".bar-lost", { timeout: 15_000 });
    assert.ok(Date.now() - gone <= 15_000);
    await page.locator(".bar-lost", { hasText: /No contact with the server for \d+\ss/ }).waitFor();
    await page.waitForSelector("[data-do=calibrate][disabled]");
    await page.locator(".cal-hint", { hasText: "No contact with the server." }).waitFor();
    await page.locator("nav.tabs a", { hasText: "Overview" }).click();
    await page.waitForSelector("#figures[data-fresh=stale]");
    await fixture.start(port);
    const back = Date.now();
    await page.locator(".bar-lost").waitFor({ state: "detached" });
    await page.waitForSelector("#figures[data-fresh=live]");
    assert.ok(Date.now() - back <= 5000, `recovered after ${Date.now() - back} ms`);
    assert.equal(await page.evaluate(() => globalThis.sameDocument), true);
    });
  }));

test("a board whose clock is an hour behind is live by the server's clock, and the page says so [UC-1]", () =>
  withFixture(async (fixture) => {
    fixture.vehicles.get(BUS).tweak = (f) => (f.measured_at -= 3_600_000);
    await withPage(fixture, "skewed", `/v/${BUS}`, {}, async (page) => {
      await page.waitForSelector("#figures[data-fresh=stale]");
      await page.waitForSelector("#figures[data-fresh=live]", { timeout: 15_000 });
      await page.locator(".vhead-state", { hasText: "the board's clock is wrong" }).waitFor();
    });
  }));

test("nothing received yet is said so, not shown as 0 and not as OK [UC-1]", () =>
  withFixture(async (fixture) => {
    const v = fixture.vehicles.get("demo.van-024");
    v.running = false;
    v.last = null;
    await withPage(fixture, "never", "/v/demo.van-024", {}, async (page) => {
      await page.waitForSelector("#figures[data-fresh=never]");
      const text = await page.locator("#figures").innerText();
      assert.match(text, /not received/);
      assert.doesNotMatch(text, /\b0\b/);
      assert.equal(await page.locator(".vhead-state .badge").getAttribute("data-colour"), "no");
    });
  }));

test("one failing block leaves the others usable and can be tried again", () =>
  withFixture(async (fixture) => {
    fixture.failing.set("/fleet/rows", 503);
    await withContext(fixture, "partial failure", { mayLose: true }, async (context) => {
    const page = await openPage(context, fixture, "/fleet");
    await page.locator(".problem", { hasText: "Made to fail by the test." }).waitFor();
    await page.locator(".attention li").first().waitFor();
    fixture.failing.clear();
    await until("rows", async () => (await page.locator(".vrow[data-id]").count()) > 0, 6000);
    });
  }));
