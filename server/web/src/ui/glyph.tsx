// SPDX-License-Identifier: Apache-2.0
// glyph.tsx -- the four states as shapes (dot, triangle, octagon, dashed ring) and the few icons. Shape and word tell the state; colour only adds.
import { tr } from "../core/i18n";
import type { State } from "../core/types";

const SHAPES: Record<State, preact.JSX.Element> = {
  ok: <circle cx="8" cy="8" r="4" />,
  warning: <path d="M8 2.2 14.6 13.6H1.4Z" />,
  alarm: <path d="M5.1 1.2h5.8l3.9 3.9v5.8l-3.9 3.9H5.1l-3.9-3.9V5.1Z" />,
  offline: <circle cx="8" cy="8" r="5.6" />,
};

export function Glyph({ state, colour = true }: { state: State; colour?: boolean }) {
  return (
    <svg class={`glyph glyph-${state}${colour ? "" : " glyph-grey"}`} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      {SHAPES[state]}
    </svg>
  );
}

/* State as glyph and word. Without `colour` (old data) the shape and word stay and the colour goes. */
export function Badge({ state, colour = true }: { state: State; colour?: boolean }) {
  return (
    <span class={`badge badge-${state}${colour ? "" : " badge-grey"}`} data-state={state} data-colour={colour ? "yes" : "no"}>
      <Glyph state={state} colour={colour} />
      <span>{tr("state." + state, "state.unknown")}</span>
    </span>
  );
}

const ICONS = {
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9m3.3 7.8 3.4 3.4",
  back: "M10 3 5 8l5 5",
  next: "m6 3 5 5-5 5",
  close: "m3.5 3.5 9 9m0-9-9 9",
  up: "M8 12.5v-9m-4 4 4-4 4 4",
  down: "M8 3.5v9m-4-4 4 4 4-4",
  undo: "M5.5 3 2.5 6l3 3M3 6h6.5a3.5 3.5 0 0 1 0 7H6",
  redo: "m10.5 3 3 3-3 3M13 6H6.5a3.5 3.5 0 0 0 0 7H10",
  info: "M8 7.5v4M8 4.600v.1M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13",
  check: "m3 8.5 3.200 3.200L13 5",
} as const;

export function Icon({ name }: { name: keyof typeof ICONS }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}
