// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { STRINGS } from "../src/core/strings";

test("every row has words in both languages, with the same {names}", () => {
  for (const [key, [en, zh]] of Object.entries(STRINGS)) {
    assert.ok(en.trim() && zh.trim(), key);
    const names = (s: string) => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join();
    assert.equal(names(en), names(zh), key);
  }
});
