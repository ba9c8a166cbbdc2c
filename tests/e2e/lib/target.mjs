// SPDX-License-Identifier: Apache-2.0
// target.mjs -- what the tests look at: the fixture server, or a running instance named by CELLWARDEN_URL, CELLWARDEN_USER, CELLWARDEN_PASSWORD
// (and CELLWARDEN_VAR, its folder, for the tests that stop one of its processes).
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Fixture } from "../fixture/server.mjs";

/* A fixture server of its own for one test. */
export async function withFixture(body, options = {}) {
  const fixture = await new Fixture(options).start();
  fixture.user = "admin";
  fixture.password = "admin";
  try {
    return await body(fixture);
  } finally {
    await fixture.stop();
  }
}

export const real = process.env.CELLWARDEN_URL
  ? { url: process.env.CELLWARDEN_URL.replace(/\/$/, ""), user: process.env.CELLWARDEN_USER ?? "admin", password: process.env.CELLWARDEN_PASSWORD ?? "", var: process.env.CELLWARDEN_VAR ?? "" }
  : null;

/* A client of the real API, signed in. */
export class Api {
  static async open(target) {
    const api = new Api();
    api.base = target.url + "/api/v1";
    const res = await fetch(api.base + "/session", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user: target.user, password: target.password }),
    });
    if (!res.ok) throw new Error(`sign-in: HTTP ${res.status} ${await res.text()}`);
    api.cookie = res.headers.get("set-cookie").split(";")[0];
    api.csrf = (await res.json()).csrf;
    return api;
  }

  async call(method, path, body) {
    const headers = { Cookie: this.cookie, "X-CSRF": this.csrf, ...(body ? { "Content-Type": "application/json" } : {}) };
    const res = await fetch(this.base + path, { method, headers, body: body ? JSON.stringify(body) : undefined });
    return { status: res.status, body: res.status === 204 ? null : await res.json() };
  }

  async get(path) {
    const { status, body } = await this.call("GET", path);
    if (status !== 200) throw new Error(`GET ${path}: HTTP ${status}`);
    return body;
  }
}

/* Numbers of the real instance's processes whose name matches: the first word of run/<name>.child. */
export function processes(target, pattern) {
  const run = join(target.var, "run");
  if (!target.var || !existsSync(run)) return [];
  return readdirSync(run).filter((f) => f.endsWith(".child") && pattern.test(f)).map((f) => Number(readFileSync(join(run, f), "utf8").split(/\s/)[0]));
}

export const freeze = (pids) => pids.forEach((p) => process.kill(p, "SIGSTOP"));
export const thaw = (pids) => pids.forEach((p) => process.kill(p, "SIGCONT"));
export const kill = (pids) => pids.forEach((p) => process.kill(p, "SIGKILL"));
