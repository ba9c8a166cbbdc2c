// SPDX-License-Identifier: Apache-2.0
// narrow.ts -- is this a phone? Below 600 px a page draws cards instead of a table.
import { useEffect, useState } from "preact/hooks";

const media = matchMedia("(max-width: 599px)");

export function useNarrow(): boolean {
  const [narrow, set] = useState(media.matches);
  useEffect(() => {
    const change = () => set(media.matches);
    media.addEventListener("change", change);
    return () => media.removeEventListener("change", change);
  }, []);
  return narrow;
}
