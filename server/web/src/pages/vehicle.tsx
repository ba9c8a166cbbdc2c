// SPDX-License-Identifier: Apache-2.0
// vehicle.tsx -- the frame of all pages of one vehicle: its name, state, reason, age, and the tabs. Lazy pages are loaded by their tab.
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { clock } from "../core/format";
import { colourful } from "../core/freshness";
import { t, tr } from "../core/i18n";
import { LOCAL } from "../core/local";
import type { Key } from "../core/strings";
import type { FleetRow } from "../core/types";
import { needCatalogue } from "../data/catalogue";
import { useVehicle, type VehicleView } from "../data/vehicle";
import { Badge, Icon } from "../ui/glyph";
import { useLazy } from "../ui/lazy";
import { AgeTag, useVehicleFresh } from "../ui/live";
import { Empty, ProblemBox, Skeleton } from "../ui/parts";
import { Overview } from "./overview";

export type Tab = "overview" | "cells" | "calibration" | "history" | "upgrade" | "failures";
export interface TabProps {
  view: VehicleView;
}

const ALL_TABS: { tab: Tab; words: Key; path: string; local?: true }[] = [
  { tab: "overview", words: "nav.overview", path: "" },
  { tab: "cells", words: "nav.cells", path: "/cells" },
  { tab: "calibration", words: "nav.calibration", path: "/calibration" },
  { tab: "history", words: "nav.history", path: "/history" },
  { tab: "upgrade", words: "nav.upgrade", path: "/upgrade", local: true },
  { tab: "failures", words: "nav.failures", path: "/failures", local: true },
];
const TABS = ALL_TABS.filter((x) => LOCAL || !x.local);

const LAZY: Record<Exclude<Tab, "overview">, () => Promise<ComponentType<TabProps>>> = {
  cells: () => import("./cells").then((m) => m.Cells),
  calibration: () => import("./calibration").then((m) => m.Calibration),
  history: () => import("./history").then((m) => m.History),
  upgrade: () => import("./upgrade").then((m) => m.UpgradePage),
  failures: () => import("./failures").then((m) => m.Failures),
};

/* The page of a tab. */
function useTab(tab: Tab): ComponentType<TabProps> | null {
  const page = useLazy(tab, tab === "overview" ? undefined : LAZY[tab]);
  return tab === "overview" ? Overview : page;
}

/* When it is offline the age tag says since when. */
function linkWords(row: FleetRow): string {
  if (!row.online) return t("state.offline");
  return row.link_at === null ? t("v.online.now") : t("v.online", { time: clock(row.link_at) });
}

function Header({ view }: { view: VehicleView }) {
  const fresh = useVehicleFresh(view);
  const row = view.facts.value.value?.row;
  const colour = colourful(fresh.value.level);
  return (
    <div class="vhead-strip" data-fresh={fresh.value.level}>
      {!LOCAL && (
        <a class="crumb" href="/fleet" aria-label={t("nav.fleet")}>
          <Icon name="back" />
        </a>
      )}
      <div class="vhead-who">
        <h1>{row?.name || view.id}</h1>
        <p class="fine vhead-facts">
          {row ? (
            <>
              {row.name && row.name !== row.id ? <span>{row.id}</span> : null}
              <span>{row.chemistry.toUpperCase()}</span>
              <span>{t("v.cells", { n: row.cells })}</span>
              <span>{tr("mode." + row.mode, "mode.unknown")}</span>
              <span>{linkWords(row)}</span>
            </>
          ) : (
            "\u00a0"
          )}
        </p>
      </div>
      <div class="vhead-state">
        {row && (
          <>
            <Badge state={fresh.value.level === "never" ? "offline" : row.state} colour={colour} />
            <AgeTag fresh={fresh} link_at={row.link_at} />
          </>
        )}
      </div>
      <p class={row?.reason ? "vhead-why" : "vhead-why vhead-calm"} data-reason>
        {row ? (row.reason ?? (row.state === "offline" || fresh.value.level === "never" ? "" : t("v.alarms.none"))) : "\u00a0"}
      </p>
    </div>
  );
}

export function VehiclePage({ id, tab }: { id: string; tab: Tab }) {
  const view = useVehicle(id);
  const Page = useTab(tab);
  const problem = view.facts.problem.value;
  useEffect(needCatalogue, []);
  if (problem?.status === 404 || (!LOCAL && (tab === "upgrade" || tab === "failures"))) return <div class="page"><Empty text={t("v.missing", { id })} action={t("notfound.action")} href="/fleet" /></div>;
  const known = view.facts.value.value !== null;
  return (
    <div class="page page-vehicle">
      <div class="vtop">
        <Header view={view} />
        <nav class="tabs" aria-label={t("nav.pages")}>
          {TABS.map((x) => (
            <a href={`/v/${id}${x.path}`} aria-current={x.tab === tab ? "page" : undefined}>
              {t(x.words)}
            </a>
          ))}
        </nav>
      </div>
      {problem && !known && <ProblemBox what={t("v.what")} problem={problem} retry={() => void view.facts.load()} />}
      {known && Page ? <Page view={view} /> : !problem && <Skeleton height={560} label={t("v.what")} />}
    </div>
  );
}
