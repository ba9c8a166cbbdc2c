// SPDX-License-Identifier: Apache-2.0
// live.tsx -- <Live> owns what a group of values looks like while it is loading, live, late, stale, offline or never received.
// No page invents its own. The group carries the tag, not each number; the pages read `useFresh()` to give up state colours.
import { useComputed, type ReadonlySignal } from "@preact/signals";
import { createContext, type ComponentChildren } from "preact";
import { useContext } from "preact/hooks";
import { age, clock, DASH, stamp, zone } from "../core/format";
import { colourful, judge, type Ages, type Freshness } from "../core/freshness";
import { t, tr } from "../core/i18n";
import { second } from "../core/time";
import type { VehicleView } from "../data/vehicle";
import { serverLost } from "../stream/client";

export type Look = Omit<Ages, "server_lost"> & { link_at: number | null };

const NEVER: Freshness = { level: "never", at: null, age_ms: null, by_server: false };
const Fresh = createContext<ReadonlySignal<Freshness> | null>(null);

/* Freshness of whatever `look` gives, once a second. */
export function useJudge(look: () => Look | null): ReadonlySignal<Freshness> {
  return useComputed(() => {
    const l = look();
    return l ? judge({ ...l, server_lost: serverLost.value }, second.value) : NEVER;
  });
}

/* What the frame of a vehicle page is worth now. */
export function useVehicleFresh(view: VehicleView): ReadonlySignal<Freshness> {
  return useJudge(() => lookAt(view));
}

function lookAt(view: VehicleView): Look | null {
  const row = view.facts.value.value?.row;
  const frame = view.frame.value;
  if (!row) return null;
  return {
    measured_at: frame?.measured_at ?? row.measured_at,
    received_at: frame?.received_at ?? row.received_at,
    period_ms: row.period_ms,
    online: row.online,
    link_at: row.link_at,
    skewed: view.skewed.value,
  };
}

export function ageText(f: Freshness, link_at: number | null): string {
  if (f.level === "never" || f.at === null || f.age_ms === null) return t("fresh.never");
  const old = age(f.age_ms);
  if (f.level === "live") return t("fresh.live");
  if (f.level === "late") return t("fresh.late", { age: old });
  if (f.level === "offline" && link_at !== null) return t("fresh.offline", { time: clock(link_at), age: old });
  if (f.level === "offline") return t("fresh.late", { age: old });
  return t("fresh.stale", { time: clock(f.at), age: old });
}

/* The tag of a group: nothing loud while live, then the age, then the instant. The exact time is its title. */
export function AgeTag({ fresh, link_at = null }: { fresh: ReadonlySignal<Freshness>; link_at?: number | null }) {
  const f = fresh.value;
  const exact = f.at === null ? "" : t("fresh.measured", { time: stamp(f.at), zone: zone() });
  const doubt = f.by_server && f.at !== null ? `, ${t("fresh.byserver")}` : "";
  return (
    <span class={`age age-${f.level}`} data-age={f.age_ms === null ? "" : Math.round(f.age_ms)} title={exact + doubt}>
      <i class="pip" aria-hidden="true" />
      {ageText(f, link_at)}
      {doubt}
    </span>
  );
}

interface LiveProps {
  fresh: ReadonlySignal<Freshness>;
  title?: ComponentChildren;
  id?: string;
  class?: string;
  link_at?: number | null;
  tag?: boolean; // show the age tag in the head
  head?: ComponentChildren; // right side of the head
  children: ComponentChildren;
}

/* A panel of values of one age. */
export function Live({ fresh, title, id, class: cls = "", link_at = null, tag = true, head, children }: LiveProps) {
  const level = useComputed(() => fresh.value.level).value;
  return (
    <Fresh.Provider value={fresh}>
      <section class={`panel live ${cls}`} data-fresh={level} id={id} aria-labelledby={title && id ? id + "-h" : undefined}>
        {(title || head) && (
          <header class="panel-head">
            {title && <h2 id={id ? id + "-h" : undefined}>{title}</h2>}
            {tag && level !== "live" && <AgeTag fresh={fresh} link_at={link_at} />}
            {head && <div class="panel-side">{head}</div>}
          </header>
        )}
        {children}
      </section>
    </Fresh.Provider>
  );
}

/* May the block that this is in show state colours? */
export function useColour(): boolean {
  const fresh = useContext(Fresh);
  return useComputed(() => !fresh || colourful(fresh.value.level)).value;
}

/* Why there is no value: an en dash and the reason, never 0 and never blank. */
export function None({ reason }: { reason?: string | undefined }) {
  const words = tr("quality." + (reason ?? "unknown"), "quality.unknown");
  return (
    <span class="none">
      <span aria-hidden="true">{DASH}</span> <small>{words}</small>
    </span>
  );
}
