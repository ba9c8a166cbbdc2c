// SPDX-License-Identifier: Apache-2.0
// compress.mjs -- make local.html, and put .gz and .br siblings beside every text file of dist/, so that the server never compresses while it answers.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url).pathname;

/* The same page for the program on a cable: the attribute is the capability flag (src/core/local.ts). */
writeFileSync(dist + "local.html", readFileSync(dist + "index.html", "utf8").replace("<html ", "<html data-local "));

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? files(join(folder, e.name)) : [join(folder, e.name)]));
}

for (const file of files(dist).filter((f) => /\.(html|js|css|svg|json|webmanifest)$/.test(f))) {
  const body = readFileSync(file);
  writeFileSync(file + ".gz", gzipSync(body, { level: 9 }));
  writeFileSync(file + ".br", brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
}
