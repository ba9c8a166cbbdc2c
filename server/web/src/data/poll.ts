// SPDX-License-Identifier: Apache-2.0
// poll.ts -- a resource that is read again while somebody looks at it: for what has no event in the stream.
import { useEffect, useMemo } from "preact/hooks";
import { get } from "../core/api";
import { Resource } from "./resource";

export function usePolled<T>(path: string, every_ms: number): Resource<T> {
  const resource = useMemo(() => new Resource<T>(() => get<T>(path)), [path]);
  useEffect(() => {
    void resource.load();
    const timer = setInterval(() => void resource.load(), every_ms);
    return () => {
      clearInterval(timer);
      resource.stop();
    };
  }, [resource, every_ms]);
  return resource;
}
