// SPDX-License-Identifier: Apache-2.0
// overview.tsx -- is it safe, what is it doing, how old is this? Key figures, open alarms, cell strip, relays and supply, link and journal.
import { age, clock, COUNT, hash, insulation, num, Q, quantityOfSignal, val } from "../core/format";
import { tableWords, t, tr } from "../core/i18n";
import { LOCAL } from "../core/local";
import { second } from "../core/time";
import type { Alarm, FleetRow, Frame, SignalRow, Vehicle } from "../core/types";
import { catalogue } from "../data/catalogue";
import { stats } from "../data/cells";
import { CellChart } from "../ui/cellchart";
import { Glyph } from "../ui/glyph";
import { Live, None, useColour, useVehicleFresh } from "../ui/live";
import { Empty, Figure, ProblemBox, Skeleton } from "../ui/parts";
import type { TabProps } from "./vehicle";

const worst = (q: Record<string, string>, n: number) => (Object.keys(q).length === n ? Object.values(q)[0] : undefined);

/* A scalar of the frame as a figure; the row's copy when there is no frame yet. */
function scalar(frame: Frame | null, name: string, fallback: number | null): { raw: number | null; reason: string | undefined } {
  if (!frame) return { raw: fallback, reason: fallback === null ? "never" : undefined };
  return { raw: frame.scalars[name] ?? null, reason: frame.quality[name] };
}

export function currentWords(mA: number | null): string {
  if (mA === null) return "";
  return mA === 0 ? t("current.none") : mA > 0 ? t("current.out") : t("current.in");
}

function Figures({ row, frame }: { row: FleetRow; frame: Frame | null }) {
  const soc = scalar(frame, "soc_permyriad", row.soc_permyriad);
  const u = scalar(frame, "pack_voltage_mV", row.pack_voltage_mV);
  const i = scalar(frame, "pack_current_mA", row.pack_current_mA);
  const s = frame ? stats(frame.cell_mV) : null;
  const max = s?.max ?? (frame ? null : row.cell_max_mV);
  const min = s?.min ?? (frame ? null : row.cell_min_mV);
  const spread = s?.spread ?? (frame ? null : row.spread_mV);
  const reason = frame ? worst(frame.cell_quality, frame.cell_mV.length) : "never";
  const temps = (frame?.temp_ddegC ?? []).filter((x): x is number => x !== null);
  const tmin = frame ? (temps.length ? Math.min(...temps) : null) : row.temp_min_ddegC;
  const tmax = frame ? (temps.length ? Math.max(...temps) : null) : row.temp_max_ddegC;
  const kW = u.raw !== null && i.raw !== null ? u.raw * i.raw : null;
  const shown = (raw: number | null, q: typeof Q.cell) => (raw === null ? null : num(raw, q));
  const at = (list: number[] | undefined) => (list ? (list.length > 1 ? `${t("cells.cell", { n: list[0] as number })} +${list.length - 1}` : t("cells.cell", { n: list[0] as number })) : "");
  return (
    <dl class="figures">
      <Figure name="soc" label={t("q.soc")} value={shown(soc.raw, Q.soc)} unit={Q.soc.unit} reason={soc.reason} note={<SocBar permyriad={soc.raw} />} />
      <Figure name="voltage" label={t("q.voltage")} value={shown(u.raw, Q.pack)} unit={Q.pack.unit} reason={u.reason} note={kW === null ? "" : val(Math.abs(kW), Q.power)} />
      <Figure name="current" label={t("q.current")} value={shown(i.raw, Q.current)} unit={Q.current.unit} reason={i.reason} note={currentWords(i.raw)} />
      <Figure name="max" label={t("q.max")} value={shown(max, Q.cell)} unit={Q.cell.unit} reason={reason} note={at(s?.maxAt)} />
      <Figure name="min" label={t("q.min")} value={shown(min, Q.cell)} unit={Q.cell.unit} reason={reason} note={at(s?.minAt)} />
      <Figure name="spread" label={t("q.spread")} value={shown(spread, Q.spread)} unit={Q.spread.unit} reason={reason} note={s ? `${t("q.median")} ${val(s.median, Q.cell)}` : ""} />
      <Figure name="temp" label={t("q.temp")} value={tmax === null || tmin === null ? null : `${num(tmin, Q.temp)} … ${num(tmax, Q.temp)}`} unit={Q.temp.unit} reason={frame ? worst(frame.temp_quality, frame.temp_ddegC.length) : "never"} note={frame && temps.length < frame.temp_ddegC.length ? `${temps.length} / ${frame.temp_ddegC.length}` : ""} />
    </dl>
  );
}

function SocBar({ permyriad }: { permyriad: number | null }) {
  return (
    <span class="socbar" aria-hidden="true">
      <i style={{ width: `${Math.max(0, Math.min(100, (permyriad ?? 0) / 100))}%` }} />
    </span>
  );
}

function AlarmRow({ a }: { a: Alarm }) {
  const colour = useColour();
  const state = a.level === "major" ? "alarm" : "warning";
  return (
    <li class={`alarm alarm-${a.level}`}>
      <Glyph state={state} colour={colour} />
      <span class="alarm-level">{tr("state." + state, "state.unknown")}</span>
      <span class="alarm-text">{a.text}</span>
      <span class="fine">{t("v.alarm.since", { time: clock(a.since), age: age(second.value - a.since) })}</span>
    </li>
  );
}

function Alarms({ frame }: { frame: Frame | null }) {
  if (!frame) return <Empty text={t("v.alarms.unknown")} />;
  if (frame.alarms.length === 0) return <Empty text={t("v.alarms.none")} />;
  const sorted = [...frame.alarms].sort((a, b) => (a.level === b.level ? b.since - a.since : a.level === "major" ? -1 : 1));
  return (
    <ul class="alarms">
      {sorted.map((a) => (
        <AlarmRow key={a.alarm + a.number} a={a} />
      ))}
    </ul>
  );
}

const RELAYS = ["relay.discharge", "relay.precharge", "relay.charge", "relay.heating"] as const;
const INPUTS = ["input.high", "input.acc", "input.keyon", "input.charger"] as const;

/* One bit with its word: a filled or hollow mark, and when the order and the read-back differ, that in words. */
function Bit({ name, on, wanted }: { name: string; on: boolean; wanted?: boolean | undefined }) {
  const differs = wanted !== undefined && wanted !== on;
  return (
    <li class={differs ? "bit bit-differs" : "bit"}>
      <i class={on ? "bit-mark bit-on" : "bit-mark"} aria-hidden="true" />
      <span>{name}</span>
      <b>{on ? t("relay.closed") : t("relay.open")}</b>
      {differs && <small>{wanted ? t("relay.wanted.closed") : t("relay.wanted.open")}</small>}
    </li>
  );
}

function Relays({ frame }: { frame: Frame | null }) {
  const fed = frame?.scalars["contactors_feedback"] ?? null;
  const told = frame?.scalars["contactors_closed"] ?? null;
  if (fed === null) return <p class="empty"><None reason={frame?.quality["contactors_feedback"] ?? "never"} /></p>;
  return (
    <ul class="bits">
      {RELAYS.map((key, bit) => (
        <Bit name={`RL${bit + 1} ${t(key)}`} on={((fed >> bit) & 1) === 1} wanted={told === null ? undefined : ((told >> bit) & 1) === 1} />
      ))}
    </ul>
  );
}

function Inputs({ frame }: { frame: Frame | null }) {
  const bits = frame?.scalars["inputs"] ?? null;
  if (bits === null) return null;
  return (
    <p class="inputs">
      {INPUTS.map((key, bit) => {
        const on = ((bits >> bit) & 1) === 1;
        return (
          <span class={on ? "input input-on" : "input"}>
            {t(key)} {on ? t("input.on") : t("input.off")}
          </span>
        );
      })}
    </p>
  );
}

const ELSEWHERE = new Set(["pack_voltage_mV", "pack_current_mA", "soc_permyriad", "contactors_closed", "contactors_feedback", "inputs", "alarm_level", "supply_mV", "keyon_mV", "charger_wake_mV", "insulation_kohm"]);

function signalText(row: SignalRow, raw: number): string {
  const word = row.enum?.[String(raw)];
  if (word) return word;
  if (row.name.endsWith("_hash")) return hash(raw);
  return val(raw, quantityOfSignal(row.name, row.unit));
}

function Signals({ frame }: { frame: Frame | null }) {
  const rows = catalogue.value.value?.signals.filter((s) => !ELSEWHERE.has(s.name)) ?? [];
  const problem = catalogue.problem.value;
  if (rows.length === 0) return problem ? <ProblemBox what={t("v.signals")} problem={problem} /> : <Skeleton height={280} label={t("v.signals")} />;
  return (
    <dl class="facts">
      {rows.map((row) => {
        const raw = frame?.scalars[row.name] ?? null;
        return (
          <div data-signal={row.name}>
            <dt title={row.name}>{tableWords(row.text)}</dt>
            <dd>{raw === null ? <None reason={frame?.quality[row.name] ?? "never"} /> : signalText(row, raw)}</dd>
          </div>
        );
      })}
    </dl>
  );
}

function LinkFacts({ view }: TabProps) {
  const v = view.facts.value.value;
  const frame = view.frame.value;
  if (!v) return null;
  const count = (n: number | null) => (n === null ? <None reason="never" /> : num(n, COUNT));
  const boot = frame?.boot ?? v.boot;
  return (
    <dl class="facts">
      {!LOCAL && <div><dt>{t("v.fact.version")}</dt><dd>{v.version || <None reason="never" />}</dd></div>}
      <div><dt>{t("v.fact.boot")}</dt><dd>{count(boot)}</dd></div>
      <div><dt>{t("v.fact.sample")}</dt><dd>{frame ? num(frame.no, COUNT) : <None reason="never" />}</dd></div>
      {LOCAL ? null : <JournalFacts v={v} />}
    </dl>
  );
}

function JournalFacts({ v }: { v: Vehicle }) {
  const count = (n: number | null) => (n === null ? <None reason="never" /> : num(n, COUNT));
  return (
    <>
      <div><dt>{t("v.fact.epoch")}</dt><dd>{v.epoch ?? <None reason="never" />}</dd></div>
      <div><dt>{t("v.fact.journal")}</dt><dd>{count(v.journal_records)}</dd></div>
      <div><dt>{t("v.fact.board_dropped")}</dt><dd>{count(v.board_dropped)}</dd></div>
      <div><dt>{t("v.fact.journal_dropped")}</dt><dd>{count(v.journal_dropped)}</dd></div>
    </>
  );
}

function Strip({ view }: TabProps) {
  const frame = view.frame.value;
  const colour = useColour();
  const s = frame ? stats(frame.cell_mV) : null;
  if (!frame || !s) return <Empty text={t("cells.novalue")} />;
  return <CellChart mini frame={frame} stats={s} layout={view.facts.value.value?.layout ?? []} colour={colour} />;
}

export function Overview({ view }: TabProps) {
  const v = view.facts.value.value;
  const frame = view.frame.value;
  const fresh = useVehicleFresh(view);
  if (!v) return null;
  const gone = fresh.value.level === "stale" || fresh.value.level === "offline";
  const sup = ["supply_mV", "keyon_mV", "charger_wake_mV"];
  return (
    <div class="grid-overview">
      <Live fresh={fresh} id="figures" class="span-all" title={fresh.value.level === "offline" ? t("v.figures.last") : t("v.figures")}>
        <Figures row={v.row} frame={frame} />
      </Live>
      <Live fresh={fresh} id="alarms" class="span-3" tag={false} title={gone ? t("v.alarms.last") : t("v.alarms")}>
        <Alarms frame={frame} />
      </Live>
      <Live fresh={fresh} id="strip" class="span-3" tag={false} title={t("v.strip")} head={<a href={`/v/${view.id}/cells`}>{t("v.strip.open")}</a>}>
        <Strip view={view} />
      </Live>
      <div class="stack span-2">
      <Live fresh={fresh} id="relays" tag={false} title={t("v.relays")}>
        <Relays frame={frame} />
        <Inputs frame={frame} />
      </Live>
      <Live fresh={fresh} id="supply" tag={false} title={t("v.supply")}>
        <dl class="facts">
          {sup.map((name) => {
            const raw = frame?.scalars[name] ?? null;
            return (
              <div data-signal={name}>
                <dt>{t(`supply.${name}` as "supply.supply_mV")}</dt>
                <dd>{raw === null ? <None reason={frame?.quality[name] ?? "never"} /> : val(raw, Q.pack)}</dd>
              </div>
            );
          })}
          <div data-signal="insulation_kohm">
            <dt>{t("v.insulation")}</dt>
            <dd>{(frame?.scalars["insulation_kohm"] ?? null) === null ? <None reason={frame?.quality["insulation_kohm"] ?? "never"} /> : insulation(frame?.scalars["insulation_kohm"])}</dd>
          </div>
        </dl>
      </Live>
      </div>
      <Live fresh={fresh} id="signals" class="span-2" tag={false} title={t("v.signals")}>
        <Signals frame={frame} />
      </Live>
      <Live fresh={fresh} id="link" class="span-2" tag={false} title={LOCAL ? t("local.link") : t("v.link")}>
        <LinkFacts view={view} />
      </Live>
    </div>
  );
}
