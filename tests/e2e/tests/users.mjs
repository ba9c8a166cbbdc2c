// SPDX-License-Identifier: Apache-2.0
// users.mjs -- the page of the administrators: add, change, new password, disable, remove; what is refused is said where it was asked for.
import assert from "node:assert/strict";
import { axe, forgive, picture, sideways, until, withContext, withPage, openPage } from "../lib/browser.mjs";
import { test, testReal } from "../lib/suite.mjs";
import { real, withFixture } from "../lib/target.mjs";

const writes = (fixture) => fixture.log.filter((r) => r.method !== "GET" && r.path.startsWith("/users"));
const gone = (page) => page.locator("dialog").waitFor({ state: "detached" });

async function add(page, { name, role, tenant, password }) {
  await page.click("[data-do=add]");
  await page.fill("[name=name]", name);
  await page.selectOption("[name=role]", role);
  if (tenant) await page.fill("[name=tenant]", tenant);
  if (password) await page.fill("[name=password]", password);
  else await page.click("[data-do=suggest]");
}

test("users: an administrator adds, changes, disables, enables and removes a user", () =>
  withFixture((fixture) =>
    withPage(fixture, "users", "/users", {}, async (page) => {
      await add(page, { name: "vera", role: "operator", tenant: "demo" });
      const password = await page.inputValue("[name=password]");
      assert.match(password, /^[a-z2-9]{4}(-[a-z2-9]{4}){3}$/, "the suggestion");
      await page.click("[data-do=send]");
      await gone(page);
      const row = page.locator("[data-user=vera]");
      assert.match(await row.textContent(), /vera.*operator.*demo/);

      await row.locator("[data-do=change]").click();
      assert.equal(await page.isDisabled("[data-do=send]"), true, "nothing is changed yet");
      await page.selectOption("[name=role]", "engineer");
      await page.click("[data-do=send]");
      await gone(page);
      await row.filter({ hasText: "engineer" }).waitFor();

      await row.locator("[data-do=disable]").click();
      await page.click("[data-do=send]");
      await gone(page);
      await until("disabled", async () => (await row.getAttribute("data-disabled")) === "true");
      assert.match(await row.textContent(), /Disabled/);
      await row.locator("[data-do=enable]").click();
      await page.click("[data-do=send]");
      await gone(page);
      await until("enabled", async () => (await row.getAttribute("data-disabled")) === "false");

      await row.locator("[data-do=remove]").click();
      assert.equal(writes(fixture).length, 4, "nothing is removed before it is confirmed");
      await page.click("[data-do=send]");
      await gone(page);
      await row.waitFor({ state: "detached" });
      assert.deepEqual(writes(fixture).map((r) => r.method), ["POST", "PATCH", "PATCH", "PATCH", "DELETE"]);
    })));

test("users: what the server refuses is said in the dialog, and nothing that was typed is lost", () =>
  withFixture((fixture) =>
    withPage(fixture, "users refused", "/users", {}, async (page) => {
      await add(page, { name: "vera", role: "viewer", tenant: "demo", password: "password1234" });
      await page.click("[data-do=send]");
      await page.getByText("is one of those that are tried first").waitFor();
      assert.equal(await page.inputValue("[name=name]"), "vera");
      await page.fill("[name=password]", "elevenchars");
      assert.equal(await page.isDisabled("[data-do=send]"), true, "one character short");
      await page.fill("[name=password]", "twelve chars");
      await page.keyboard.press("Enter");
      await gone(page);
      await page.locator("[data-user=admin] [data-do=disable]").click();
      await page.click("[data-do=send]");
      await page.getByText("this is the last administrator").waitFor();
      await page.keyboard.press("Escape");
      await gone(page);
      assert.equal(await page.evaluate(() => document.activeElement?.dataset.do), "disable", "the focus comes back");
      forgive("users refused", /status of 4(22|09)/);
    })));

test("users: what comes from the password file is changed there, and the page says so", () =>
  withFixture((fixture) =>
    withPage(fixture, "users of file", "/users", {}, async (page) => {
      const row = page.locator("[data-user=admin]");
      await row.waitFor();
      assert.match(await row.textContent(), /\(you\).*password file/);
      assert.equal(await row.locator("[data-do=password], [data-do=remove]").count(), 0);
    })));

test("users: everybody changes the own password; a wrong one is said, and nobody is signed out by it", () =>
  withFixture((fixture) =>
    withPage(fixture, "users own", "/fleet", { as: { user: "viewer", password: "viewer" }, phone: true }, async (page) => {
      await page.click(".menu > .icon-button");
      await page.click("[data-do=own]");
      await until("the first field has the focus", () => page.evaluate(() => document.activeElement.name === "now"));
      await page.fill("[name=now]", "wrong");
      await page.fill("[name=password]", "elevenchars");
      assert.equal(await page.isDisabled("[data-do=send]"), true, "one character short");
      await page.fill("[name=password]", "twelve chars");
      await page.click("[data-do=send]");
      await page.getByText("this is not the password that you sign in with").waitFor();
      assert.deepEqual(await axe(page), []);
      await picture(page, "own-password-phone.png");
      await page.fill("[name=now]", "viewer");
      await page.click("[data-do=send]");
      await gone(page);
      assert.equal(fixture.log.filter((r) => r.method === "POST" && r.path === "/session/password").length, 2);
      forgive("users own", /status of 403/);
    })));

for (const user of ["viewer", "engineer"]) {
  test(`check 36: the page of the users is not there for a role without it: ${user}`, () =>
    withFixture((fixture) =>
      withPage(fixture, "users " + user, "/users", { as: { user, password: user } }, async (page) => {
        await page.getByText("There is no such page.").waitFor();
        assert.equal(await page.locator("nav a[href='/users']").count(), 0);
        assert.equal(fixture.log.filter((r) => r.path.startsWith("/users")).length, 0);
      })));
}

for (const phone of [false, true]) {
  test(`check 33: the users fit and their buttons can be hit: ${phone ? "phone" : "desktop"}`, () =>
    withFixture((fixture) =>
      withContext(fixture, "users fit", { phone }, async (context) => {
        fixture.users.set("a", fixture.person("a".repeat(64), { role: "engineer", tenant: "t".repeat(62) }));
        const page = await openPage(context, fixture, "/users");
        await page.locator("[data-user=admin]").waitFor();
        assert.equal(await sideways(page), 0);
        const heights = await page.locator(".user-acts .button").evaluateAll((all) => all.map((b) => b.getBoundingClientRect().height));
        assert.ok(Math.min(...heights) >= (phone ? 44 : 24), `${Math.min(...heights)} px`);
        await picture(page, `users-${phone ? "phone" : "desktop"}.png`);
        await page.click("[data-do=add]");
        assert.equal(await sideways(page), 0);
        await picture(page, `users-add-${phone ? "phone" : "desktop"}.png`);
      })));
}

testReal("users: a user made on the page signs in, and a disabled one is out", { skip: !real }, () =>
  withPage(real, "users real", "/users", {}, async (page) => {
    const name = `e2e-${Date.now()}`;
    await add(page, { name, role: "viewer", tenant: "demo" });
    const password = await page.inputValue("[name=password]");
    await page.click("[data-do=send]");
    await gone(page);
    const row = page.locator(`[data-user="${name}"]`);
    await withContext(real, "users real", {}, async (context) => {
      const theirs = await openPage(context, real, "/fleet", { user: name, password });
      await theirs.waitForSelector(".counts");
      await row.locator("[data-do=disable]").click();
      await page.click("[data-do=send]");
      await gone(page);
      await theirs.goto(real.url + "/fleet");
      await theirs.waitForSelector("[name=user]");
    });
    await row.locator("[data-do=remove]").click();
    await page.click("[data-do=send]");
    await row.waitFor({ state: "detached" });
    forgive("users real", /status of 401/);
  }));
