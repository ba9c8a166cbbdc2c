// SPDX-License-Identifier: Apache-2.0
// all.mjs -- every browser test in one process, so that they share one browser. The watch over the whole run comes last.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { closeBrowser, incidents } from "../lib/browser.mjs";
import { runLanes } from "../lib/suite.mjs";
import "./assets.mjs";
import "./fleet.mjs";
import "./cells.mjs";
import "./freshness.mjs";
import "./calibration.mjs";
import "./access.mjs";
import "./stream.mjs";
import "./users.mjs";
import "./real.mjs";
import "./local.mjs";

runLanes();

test("check 3: over the whole run no request to another origin, no policy violation, no console error", () => {
  assert.deepEqual(incidents, []);
});

after(closeBrowser);
