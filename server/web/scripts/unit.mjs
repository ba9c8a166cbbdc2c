// SPDX-License-Identifier: Apache-2.0
// unit.mjs -- bundle test/*.test.ts with esbuild and run them with node's own runner (Node 18 does not read TypeScript).
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";

const web = new URL("../", import.meta.url).pathname;
const out = web + "node_modules/.cache/unit";
const tests = readdirSync(web + "test").filter((f) => f.endsWith(".test.ts"));

rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: tests.map((f) => web + "test/" + f),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node18",
  sourcemap: "inline",
  logLevel: "warning",
});
const run = spawnSync(process.execPath, ["--enable-source-maps", "--test-reporter=spec", "--test", ...tests.map((f) => `${out}/${f.replace(/\.ts$/, ".mjs")}`)], { stdio: "inherit" });
process.exit(run.status ?? 1);
