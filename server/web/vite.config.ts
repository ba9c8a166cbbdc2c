// SPDX-License-Identifier: Apache-2.0
// Nothing inline and nothing from elsewhere: the server sends a Content-Security-Policy without exceptions.
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": process.env["CELLWARDEN_URL"] ?? "http://127.0.0.1:8080" } },
});
