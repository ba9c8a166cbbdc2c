// SPDX-License-Identifier: Apache-2.0
// Nothing inline and nothing from elsewhere: the server sends a Content-Security-Policy without exceptions.
import { defineConfig } from "vite";

/* name-hash.js with one dot and a hash of hexadecimal digits: that is how the server knows a file that never changes. */
const output = {
  hashCharacters: "hex" as const,
  chunkFileNames: (chunk: { name: string }) => `assets/${chunk.name.replace(/[^A-Za-z0-9]+/g, "-")}-[hash].js`,
};

export default defineConfig({
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
    rollupOptions: { output },
  },
  worker: { rollupOptions: { output: { hashCharacters: "hex", entryFileNames: "assets/[name]-[hash].js" } } },
  server: { proxy: { "/api": process.env["CELLWARDEN_URL"] ?? "http://127.0.0.1:8080" } },
});
