// SPDX-License-Identifier: Apache-2.0
// stream.mjs -- one event stream for all tabs of a browser.
import assert from "node:assert/strict";
import { test, testAlone } from "../lib/suite.mjs";
import { withContext, openPage, until } from "../lib/browser.mjs";
import { withFixture } from "../lib/target.mjs";

testAlone("check 17: eight tabs hold one stream, all are live, the API answers within 200 ms", () =>
  withFixture(async (fixture) => {
    await withContext(fixture, "check 17", {}, async (context) => {
    const ids = [...fixture.vehicles.keys()].filter((id) => id !== "demo.bus-007");
    const pages = [];
    for (let i = 0; i < 8; i++) pages.push(await openPage(context, fixture, `/v/${ids[i % ids.length]}`));
    for (const page of pages) await page.waitForSelector("#figures[data-fresh=live]");
    assert.equal(fixture.streams.size, 1);
    const started = Date.now();
    await pages[7].evaluate(() => fetch("/api/v1/fleet/summary").then((r) => r.json()));
    assert.ok(Date.now() - started <= 200, `${Date.now() - started} ms`);
    for (const page of pages.slice(1)) await page.close();
    await until("the topics follow", () => [...fixture.streams.values()].every((s) => s.topics.size === 1));
    });
    await until("the stream is closed with the last tab", () => fixture.streams.size === 0);
  }));

test("without SharedWorker the tabs elect one that holds the stream; when it goes another takes over", () =>
  withFixture(async (fixture) => {
    await withContext(fixture, "leader", { init: () => delete globalThis.SharedWorker }, async (context) => {
    const pages = [];
    for (let i = 0; i < 3; i++) pages.push(await openPage(context, fixture, "/v/demo.bus-048"));
    for (const page of pages) await page.waitForSelector("#figures[data-fresh=live]");
    await until("one stream", () => fixture.streams.size === 1);
    await pages[0].close();
    await until("another stream", () => fixture.streams.size === 1 && fixture.opened >= 2);
    await new Promise((done) => setTimeout(done, 3500));
    for (const page of pages.slice(1)) assert.equal(await page.locator("#figures").getAttribute("data-fresh"), "live");
    });
  }));

test("check 18: after a cut the page reads again what it missed, and no alarm is doubled", () =>
  withFixture(async (fixture) => {
    await withContext(fixture, "check 18", { mayLose: true }, async (context) => {
    const page = await openPage(context, fixture, "/v/demo.bus-096");
    await page.waitForSelector("#figures[data-fresh=live]");
    for (const s of fixture.streams.values()) s.res.destroy();
    const v = fixture.vehicles.get("demo.bus-096");
    v.soc = 690;
    await page.locator("[data-figure=soc] .number", { hasText: "6.9" }).waitFor();
    assert.equal(await page.locator("#alarms .alarm").count(), 2);
    });
  }));
