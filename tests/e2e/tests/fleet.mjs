// SPDX-License-Identifier: Apache-2.0
// fleet.mjs -- sign-in, the list, its filters, and text that looks like markup.
import assert from "node:assert/strict";
import { test } from "../lib/suite.mjs";
import { forgive, SHIFT, signIn, until, withContext, withPage } from "../lib/browser.mjs";
import { withFixture } from "../lib/target.mjs";
import { alarm, Vehicle } from "../fixture/world.mjs";

const ids = (page) => page.locator(".vrow[data-id]").evaluateAll((rows) => rows.map((r) => r.dataset.id));

test("sign-in: a wrong password is said, the page that was asked for opens, signing out closes it", () =>
  withFixture(async (fixture) => {
    await withContext(fixture, "sign-in", { mayLose: true }, async (context) => {
    const page = await context.newPage();
    const refused = page.waitForResponse((r) => r.status() === 401);
    await page.goto(fixture.url + "/v/demo.bus-048/cells");
    await page.fill("[name=user]", "admin");
    await page.fill("[name=password]", "wrong");
    await page.keyboard.press("Enter");
    await refused;
    await page.getByText("User or password is not right.").waitFor();
    await signIn(page, "admin", "admin");
    await page.waitForSelector("[data-sentence]");
    assert.equal(new URL(page.url()).pathname, "/v/demo.bus-048/cells");
    await page.click(".menu > button");
    await page.getByText("Sign out").click();
    await page.waitForSelector("[name=user]");
    });
  }).finally(() => forgive("sign-in", /401/)));


test("fleet: counts are filters, the worst stands first with its reason, the view is in the URL [FL-5]", () =>
  withFixture((fixture) =>
    withPage(fixture, "fleet filters", "/fleet", {}, async (page) => {
      await page.waitForSelector(".vrow[data-id]");
      await page.locator("[data-count=alarm] .count-n", { hasText: "1" }).waitFor();
      const first = page.locator(".attention li").first();
      assert.match(await first.innerText(), /Alarm[\s\S]*demo\.bus-096[\s\S]*Cell 47 under-voltage/);
      await page.click("[data-count=alarm]");
      await until("one row", async () => (await ids(page)).join() === "demo.bus-096");
      assert.equal(new URL(page.url()).searchParams.get("f"), "state:alarm");
      await page.reload();
      await until("the same row", async () => (await ids(page)).join() === "demo.bus-096");
      await page.click("[data-count=alarm]");
      await page.fill("input[type=search]", "cart");
      await until("the cart", async () => (await ids(page)).join() === "demo.cart-004");
      await page.fill("input[type=search]", "nothing like it");
      await page.getByText("No vehicle matches.").waitFor();
      await page.getByText("Clear filters").click();
      await until("all", async () => (await ids(page)).length === 6);
      await page.getByRole("button", { name: /Spread/ }).click();
      await page.getByRole("button", { name: /Spread/ }).click();
      await until("widest spread first", async () => (await ids(page))[0] === "demo.bus-096");
    })));

test("check 7: a fleet without alarms does not jump when the summary comes late", () =>
  withFixture(async (fixture) => {
    fixture.vehicles.delete("demo.bus-096");
    fixture.vehicles.delete("demo.bus-007");
    fixture.slow.set("/fleet/summary", 600);
    await withPage(fixture, "no alarms", "/fleet", { init: SHIFT }, async (page) => {
      await page.getByText("No vehicle needs attention.").waitFor();
      await page.waitForSelector(".vrow[data-id]");
      await page.waitForTimeout(600);
      const shift = await page.evaluate(() => globalThis.shiftSum);
      assert.ok(shift <= 0.02, `layout shift ${shift}`);
    });
  }));

test("fleet: a list of thousands keeps few rows in the page and reaches the last one", () =>
  withFixture(async (fixture) => {
    for (let i = 0; i < 3000; i++) {
      const id = `many.car-${String(i).padStart(5, "0")}`;
      const v = new Vehicle(id, { cells: 4 }, fixture.catalogue);
      v.sample();
      v.running = false;
      fixture.vehicles.set(id, v);
    }
    await withPage(fixture, "many", "/fleet", {}, async (page) => {
      await page.waitForSelector(".vrow[data-id]");
      assert.ok((await ids(page)).length <= 60);
      await page.locator(".vbox").evaluate((el) => (el.scrollTop = el.scrollHeight));
      await until("the last vehicle", async () => (await ids(page)).includes("many.car-02999"));
      assert.ok((await ids(page)).length <= 60);
      const wide = fixture.log.filter((r) => r.path.startsWith("/fleet/rows")).map((r) => Number(new URLSearchParams(r.path.split("?")[1]).get("limit")));
      assert.ok(wide.every((n) => n <= 200));
    });
  }));

test("fleet: on a phone there is no table, counts and cards fit, nothing sticks out", () =>
  withFixture((fixture) =>
    withPage(fixture, "fleet phone", "/fleet", { phone: true }, async (page) => {
      await page.waitForSelector(".vcard[data-id]");
      assert.equal(await page.locator(".vrow").count(), 0);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    })));

test("check 4: names, alarms, reasons that hold markup are shown as text, nothing runs", () =>
  withFixture(async (fixture) => {
    const evil = `<img src=x onerror="globalThis.ran=1"><script>globalThis.ran=1</script>`;
    const v = fixture.vehicles.get("demo.bus-048");
    v.name = evil;
    v.tweak = (f) => (f.alarms = [alarm("cell_over_voltage", "major", 3, 4300, 4250, `Cell 3 ${evil}`)]);
    await withPage(fixture, "check 4", "/fleet", {}, async (page) => {
      await page.waitForSelector(".vrow[data-id]");
      await page.getByText(evil, { exact: true }).first().waitFor();
      for (const path of ["", "/cells", "/calibration"]) {
        await page.goto(`${fixture.url}/v/demo.bus-048${path}`);
        await page.locator("h1", { hasText: "<img" }).waitFor();
        await page.locator("[data-reason]", { hasText: "<script>" }).waitFor();
      }
      await page.setInputFiles("input[type=file]", { name: `${evil}.json`.replaceAll("/", ""), mimeType: "application/json", buffer: Buffer.from(JSON.stringify({ format: "cellwarden-parameters", table: evil, values: { [evil]: 1 } })) });
      await page.locator("dialog", { hasText: "onerror" }).waitFor();
      assert.equal(await page.evaluate(() => globalThis.ran), undefined);
      assert.equal(await page.locator("main img, dialog img").count(), 0);
    });
  }));

test("language: Chinese is complete on every page, and the choice is kept", () =>
  withFixture((fixture) =>
    withPage(fixture, "language", "/fleet", {}, async (page) => {
      await page.click(".menu > button");
      await page.getByRole("button", { name: "中文" }).click();
      await page.getByText("需要关注").waitFor();
      await page.goto(fixture.url + "/v/demo.bus-096/cells");
      await page.locator("[data-sentence]", { hasText: "最低电芯 47" }).waitFor();
      assert.equal(await page.locator("html").getAttribute("lang"), "zh-Hans");
    })));

