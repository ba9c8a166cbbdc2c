// SPDX-License-Identifier: Apache-2.0
// assets.mjs -- sizes, caching, compression, and how quickly a page stands.
import assert from "node:assert/strict";
import { openPage, SHIFT, withContext, withPage } from "../lib/browser.mjs";
import { testAlone } from "../lib/suite.mjs";
import { BUILT } from "../fixture/server.mjs";
import { real, withFixture } from "../lib/target.mjs";

const gz = (file) => BUILT.get(`/${file}.gz`).length;
const scripts = () => [...BUILT.keys()].filter((f) => /^\/assets\/.*\.(js|css)$/.test(f)).map((f) => f.slice(1));
const targets = (body) => (real ? body(real) : withFixture(body));

testAlone("check 1: the shell is at most 60 kB gz, each lazy page 20 kB, all of it 150 kB", async () => {
  await withFixture(async (fixture) => {
    const loaded = new Set();
    await withContext(fixture, "check 1", {}, async (context) => {
    context.on("page", (p) => p.on("response", (r) => loaded.add(new URL(r.url()).pathname.slice(1))));
    const page = await openPage(context, fixture, "/fleet");
    await page.waitForSelector(".vrow[data-id]");
    const shell = scripts().filter((f) => loaded.has(f) || f.includes("/worker-"));
    const size = shell.reduce((s, f) => s + gz(f), 0);
    assert.ok(shell.length >= 2 && size <= 60_000, `shell ${size} bytes: ${shell.join(" ")}`);
    for (const lazy of scripts().filter((f) => !shell.includes(f) && !f.includes("uPlot"))) assert.ok(gz(lazy) <= 20_000, `${lazy} ${gz(lazy)}`);
    const all = scripts().reduce((s, f) => s + gz(f), 0);
    assert.ok(all <= 150_000, `all ${all}`);
    });
  });
});

testAlone("check 1: nothing inline and no address of another host in what is built", () => {
  const html = String(BUILT.get("/index.html"));
  assert.doesNotMatch(html, /<style|style=|<script(?![^>]*src=)/);
  for (const f of scripts()) assert.doesNotMatch(String(BUILT.get("/" + f)).replace(/http:\/\/www\.w3\.org\/\S+/g, ""), /https?:\/\/[a-z0-9.-]+\.[a-z]{2,}/i, f);
});

testAlone("check 5: hashed files are immutable, index.html is revalidated, gzip on plain http", () =>
  targets(async ({ url }) => {
    const ask = (path, headers = {}) => fetch(url + path, { headers });
    for (const file of scripts()) {
      const res = await ask("/" + file, { "Accept-Encoding": "gzip" });
      await res.arrayBuffer();
      assert.match(res.headers.get("cache-control"), /max-age=31536000.*immutable/, file);
      assert.equal(res.headers.get("content-encoding"), "gzip", file);
    }
    const index = await ask("/v/demo.bus-048/cells");
    assert.match(index.headers.get("cache-control"), /no-cache/);
    assert.match(index.headers.get("content-security-policy"), /require-trusted-types-for 'script'/);
    const again = await ask("/", { "If-None-Match": (await ask("/")).headers.get("etag") });
    assert.equal(again.status, 304);
  }));

testAlone("check 5: on a second visit no hashed file is asked for again", () =>
  targets((target) =>
    withPage(target, "check 5", "/fleet", {}, async (page) => {
      await page.waitForSelector(".vrow[data-id]");
      const fetched = [];
      page.on("response", (r) => r.url().includes("/assets/") && !r.fromServiceWorker() && fetched.push(r));
      await page.goto(target.url + "/fleet?sort=id");
      await page.waitForSelector(".vrow[data-id]");
      const sizes = await page.evaluate(() => performance.getEntriesByType("resource").filter((r) => r.name.includes("/assets/")).map((r) => [r.name, r.transferSize]));
      for (const [name, size] of sizes) assert.ok(size <= 400, `${name} moved ${size} bytes`);
      assert.ok(sizes.length >= 2);
    })));

for (const [path, ready] of [["/fleet", ".vrow[data-id]"], ["", "[data-figure=soc] .number"], ["/cells", "[data-sentence]"], ["/calibration", "tr[data-param]"], ["/history", ".page-history canvas, .page-history .empty"]]) {
  testAlone(`check 7: values stand quickly and the layout does not shift: ${path || "overview"} [UC-1]`, () =>
    targets((target) =>
      withPage(target, "check 7", "/fleet", { init: SHIFT }, async (page) => {
        await page.waitForSelector(".vrow[data-id]");
        const id = target.id ?? (await page.locator(".vrow[data-id]").first().getAttribute("data-id"));
        const times = [];
        for (let i = 0; i < 3; i++) {
          await page.goto(target.url + (path === "/fleet" ? path : `/v/${id}${path}`), { waitUntil: "commit" });
          await page.waitForSelector(ready);
          times.push(await page.evaluate(() => performance.now()));
        }
        await page.waitForTimeout(1200);
        const shift = await page.evaluate(() => globalThis.shiftSum);
        assert.ok(shift <= 0.02, `layout shift ${shift}`);
        const best = Math.min(...times);
        assert.ok(best <= (path === "" ? 500 : 1000), `first values after ${times.map(Math.round)} ms`);
      })));
}
