// SPDX-License-Identifier: Apache-2.0
// junit.mjs -- a reporter for node's test runner (its own JUnit reporter is not in Node 18).
const escape = (s) => String(s).replace(/[<>&"]/g, (c) => `&#${c.charCodeAt(0)};`).replace(/[\u0000-\u0008\u000b-\u001f]/g, "");

export default async function* junit(source) {
  const cases = [];
  let failed = 0;
  let skipped = 0;
  for await (const { type, data } of source) {
    if ((type !== "test:pass" && type !== "test:fail") || data.details?.type === "suite") continue;
    const inner = type === "test:fail" ? `<failure message="${escape(data.details.error?.message ?? "")}"/>` : data.skip !== undefined ? "<skipped/>" : "";
    failed += type === "test:fail" ? 1 : 0;
    skipped += data.skip !== undefined ? 1 : 0;
    cases.push(`<testcase classname="e2e" name="${escape(data.name)}" time="${(data.details.duration_ms / 1000).toFixed(3)}">${inner}</testcase>`);
  }
  yield `<?xml version="1.0" encoding="utf-8"?>\n<testsuite name="e2e" tests="${cases.length}" failures="${failed}" skipped="${skipped}">\n${cases.join("\n")}\n</testsuite>\n`;
}
