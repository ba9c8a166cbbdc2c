// SPDX-License-Identifier: Apache-2.0
// worker.ts -- the SharedWorker: one hub, one port per tab.
import { Hub, type HubIo, type HubPort, type ToHub } from "./hub";

const io: HubIo = {
  fetch: (path, init) => fetch(path, init),
  now: () => performance.now(),
  after: (ms, fn) => setTimeout(fn, ms) as unknown as number,
  cancel: (timer) => clearTimeout(timer),
};

const hub = new Hub(io);

(self as unknown as { onconnect: (e: MessageEvent) => void }).onconnect = (e) => {
  const port = e.ports[0] as MessagePort;
  const tab: HubPort = { post: (msg) => port.postMessage(msg) };
  port.onmessage = (m: MessageEvent<ToHub>) => hub.take(tab, m.data);
};
