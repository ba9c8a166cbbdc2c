// SPDX-License-Identifier: Apache-2.0
// lazy.ts -- pages whose code is loaded when they are first opened.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

const RETRY_ms = 2000;
const loaded = new Map<string, unknown>();

/* The page `name`, null until it is there; a chunk that does not arrive is asked for again until it does. Without `load` nothing is asked for yet. */
export function useLazy<P>(name: string, load: (() => Promise<ComponentType<P>>) | undefined): ComponentType<P> | null {
  const [, again] = useState(0);
  useEffect(() => {
    if (loaded.has(name) || !load) return;
    let stop = false;
    const ask = () => {
      load().then(
        (page) => {
          loaded.set(name, page);
          if (!stop) again((n) => n + 1);
        },
        () => !stop && setTimeout(ask, RETRY_ms),
      );
    };
    ask();
    return () => {
      stop = true;
    };
  }, [name, load === undefined]);
  return (loaded.get(name) as ComponentType<P> | undefined) ?? null;
}
