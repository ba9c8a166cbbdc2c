// SPDX-License-Identifier: Apache-2.0
// suite.mjs -- test(name, [options], fn) as node:test has it, sorted into lanes: most of a browser test is waiting for the next second, so two
// lanes against fixture servers and one against the running instance go side by side. What measures time goes alone, before them.
import { describe, it } from "node:test";

const lanes = { alone: [], fixture: [], real: [] };

const lane = (name) => (title, ...rest) => lanes[name].push([title, ...rest]);
export const testAlone = lane("alone");
export const test = lane("fixture");
export const testReal = lane("real");

export function runLanes() {
  describe("alone", { concurrency: 1 }, () => lanes.alone.forEach((args) => it(...args)));
  describe("side by side", { concurrency: 2 }, () => {
    describe("fixture", { concurrency: 2 }, () => lanes.fixture.forEach((args) => it(...args)));
    describe("real", { concurrency: 1 }, () => lanes.real.forEach((args) => it(...args)));
  });
}
