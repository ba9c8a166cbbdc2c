// SPDX-License-Identifier: Apache-2.0
// local.ts -- are these the pages of one board on a cable (cellwarden-local), without a fleet, users and a sign-in?
// Known before the first request: that program serves local.html, which differs from index.html in one attribute.
export const LOCAL = typeof document !== "undefined" && document.documentElement.hasAttribute("data-local");
