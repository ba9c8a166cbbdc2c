// SPDX-License-Identifier: Apache-2.0
// browser.mjs -- one headless Chromium for the whole run, a clean context for each test, and a watch on everything that must not happen:
// requests to other origins, violations of the content security policy or of trusted types, errors on the browser's console.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const DESKTOP = { width: 1366, height: 768 };
export const PHONE = { width: 360, height: 780 };

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

let browser = null;
export const incidents = []; // over the whole run: {test, kind, text}

export async function theBrowser() {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ARGS });
  return browser;
}

export async function closeBrowser() {
  await browser?.close();
  browser = null;
}

/* The policy's own report, from every page: an event on the document. */
const REPORT = () =>
  document.addEventListener("securitypolicyviolation", (e) => console.error(`csp violation: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`));

function watch(page, base, test, mayLose) {
  const note = (kind, text) => incidents.push({ test, kind, text });
  page.on("request", (r) => {
    const url = new URL(r.url());
    if (!["data:", "blob:"].includes(url.protocol) && url.origin !== base) note("foreign request", r.url());
  });
  page.on("console", (m) => {
    if (m.type() !== "error") return;
    if (mayLose && /Failed to load resource: (net::|the server responded with a status of 50)/.test(m.text())) return;
    note("console error", m.text());
  });
  page.on("pageerror", (e) => note("page error", e.message));
}

/* A context of its own for one test. `mayLose`: this test takes the server away, failed requests are its purpose. */
export async function newContext(target, test, options = {}) {
  const { mayLose = false, phone = false, dark = false, init, ...rest } = options;
  const b = await theBrowser();
  const context = await b.newContext({
    viewport: phone ? PHONE : DESKTOP,
    isMobile: phone,
    hasTouch: phone,
    colorScheme: dark ? "dark" : "light",
    locale: "en-GB",
    reducedMotion: "reduce",
    ...rest,
  });
  context.setDefaultTimeout(30_000);
  await context.addInitScript(REPORT);
  if (init) await context.addInitScript(init);
  const base = new URL(target.url).origin;
  context.on("page", (page) => watch(page, base, test, mayLose));
  return context;
}

/* A context that is closed whatever happens. */
export async function withContext(target, test, options, body) {
  const context = await newContext(target, test, options);
  try {
    return await body(context);
  } finally {
    await context.close();
  }
}

const sessions = new WeakMap();

/* The session of a user, made once for each server (the object: a later one may get the port of one that has gone): signing in by the form has a test of its own. */
async function sessionOf(target, user, password) {
  if (!sessions.has(target)) sessions.set(target, new Map());
  const cookies = sessions.get(target);
  if (!cookies.has(user)) {
    const body = JSON.stringify({ user, password });
    const res = await fetch(`${target.url}/api/v1/session`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    assert.equal(res.status, 200, "sign-in");
    const [name, value] = res.headers.get("set-cookie").split(";")[0].split("=");
    cookies.set(user, { name, value, url: target.url, httpOnly: true, sameSite: "Strict" });
  }
  return cookies.get(user);
}

/* A page of the console, signed in. */
export async function openPage(context, target, path, as = {}) {
  await context.addCookies([await sessionOf(target, as.user ?? target.user, as.password ?? target.password)]);
  await context.addInitScript(() => location.protocol.startsWith("http") && localStorage.setItem("cw.signed", "1"));
  const page = await context.newPage();
  await page.goto(target.url + path);
  await page.waitForSelector("header.top");
  return page;
}

export async function signIn(page, user, password) {
  await page.fill("[name=user]", user);
  await page.fill("[name=password]", password);
  await page.click("button[type=submit]");
  await page.waitForSelector("header.top");
}

/* One test body with one page. */
export function withPage(target, test, path, options, body) {
  return withContext(target, test, options, async (context) => body(await openPage(context, target, path, options.as), context));
}

/* Forget incidents that were the purpose of a test: a refusal by the server is an error line of the browser. */
export function forgive(test, pattern) {
  for (let i = incidents.length - 1; i >= 0; i--) if (incidents[i].test === test && pattern.test(incidents[i].text)) incidents.splice(i, 1);
}

/* Wait until fn() holds in Node; says what it waited for. */
export async function until(what, fn, timeout_ms = 10_000, step_ms = 50) {
  const end = Date.now() + timeout_ms;
  for (;;) {
    const value = await fn();
    if (value) return value;
    if (Date.now() > end) assert.fail(`waited ${timeout_ms} ms for: ${what}`);
    await new Promise((done) => setTimeout(done, step_ms));
  }
}

/* axe over the whole page, WCAG 2.2 AA and below. Injected by evaluate(): trusted types forbid a script tag. */
export async function axe(page) {
  await page.evaluate(AXE);
  const result = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], resultTypes: ["violations"] }));
  return result.violations.map((v) => `${v.id}: ${v.nodes.length} x ${v.nodes[0].target.join(" ")} ${v.nodes[0].failureSummary?.split("\n")[1] ?? ""}`);
}

const PICTURES = process.env.CELLWARDEN_PICTURES ?? ""; // a folder: pictures for the documents, and to look at, are put there

export async function picture(page, name) {
  if (!PICTURES) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, name) });
}

/* Does anything stick out sideways? */
export const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/* Runs in the page: sums up layout shifts. */
export function SHIFT() {
  globalThis.shiftSum = 0;
  new PerformanceObserver((list) => {
    for (const e of list.getEntries()) if (!e.hadRecentInput) globalThis.shiftSum += e.value;
  }).observe({ type: "layout-shift", buffered: true });
}
