// SPDX-License-Identifier: Apache-2.0
// upgrade.tsx -- over a cable: choose a program, load it into the board's second slot, see how far it is and how it ended; restart the board.
import { useRef, useState } from "preact/hooks";
import { ApiError, post } from "../core/api";
import { clock, COUNT, num, Q, val } from "../core/format";
import { t } from "../core/i18n";
import type { Problem, Upgrade } from "../core/types";
import { usePolled } from "../data/poll";
import type { Resource } from "../data/resource";
import { serverLost } from "../stream/client";
import { Confirm, confirmed } from "../ui/confirm";
import { Icon } from "../ui/glyph";
import { Empty, ProblemBox } from "../ui/parts";
import type { TabProps } from "./vehicle";
import "../styles/calibration.css";

const POLL_ms = 500;
const NONE_mA = 1000;

const problemOf = (e: unknown): Problem => (e instanceof ApiError ? e.problem : { title: "error", status: 0, code: "error", detail: String(e), request_id: "" });

/* What the board asks for before it takes a program; it checks again itself. */
function useBefore(view: TabProps["view"]): [boolean, string][] {
  const frame = view.frame.value;
  const closed = frame?.scalars["contactors_feedback"] ?? null;
  const mA = frame?.scalars["pack_current_mA"] ?? null;
  const unseen = frame === null; // a line without samples (RS485): the board looks for itself
  return [
    [view.facts.value.value?.row.online === true && !serverLost.value, t("rev.pre.online")],
    [unseen || closed === 0, t("up.pre.contactors")],
    [unseen || (mA !== null && Math.abs(mA) <= NONE_mA), unseen ? t("up.pre.unseen") : t("up.pre.current", { value: val(mA, Q.current) })],
  ];
}

function resultWords(u: Upgrade, boot: number | null): string {
  if (u.state === "waiting") return t("up.state.waiting");
  const phase = t(`up.phase.${u.phase}`);
  if (u.state === "failed") return t("up.state.failed", { phase });
  if (u.state !== "done") return phase;
  return boot !== null && boot !== u.boot ? t("up.state.done", { boot }) : t("up.state.wait");
}

function Progress({ u, boot }: { u: Upgrade; boot: number | null }) {
  return (
    <div class="stack" data-upgrade={u.state} role="status">
      <p>
        <b>{resultWords(u, boot)}</b>
      </p>
      {u.detail && <p class="op-detail">{u.detail}</p>}
      <progress max={u.size} value={u.sent} aria-label={t("up.result")} />
      <p class="fine">
        {t("up.sent", { sent: num(u.sent, COUNT) ?? "", size: num(u.size, COUNT) ?? "" })}
        {u.resumed > 0 ? ` · ${t("up.resumed", { n: num(u.resumed, COUNT) ?? "" })}` : ""}
        {u.began_at !== null && u.changed_at !== null ? ` · ${clock(u.began_at)} – ${clock(u.changed_at)}` : ""}
      </p>
    </div>
  );
}

function Choose({ view, upgrade }: TabProps & { upgrade: Resource<Upgrade> }) {
  const input = useRef<HTMLInputElement>(null);
  const [file, setFile] = useState<File | null>(null);
  const [confirm, setConfirm] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const before = useBefore(view);
  const state = upgrade.value.value?.state;
  const busy = state === "waiting" || state === "working";
  const ready = file !== null && confirmed(view.id, confirm) && !busy && before.every(([ok]) => ok);

  async function send(): Promise<void> {
    if (!ready || !file) return;
    setProblem(null);
    try {
      upgrade.value.value = await post<Upgrade>(`/vehicles/${view.id}/upgrade?confirm=${encodeURIComponent(confirm)}`, new Blob([file]));
      setConfirm("");
    } catch (e) {
      setProblem(problemOf(e));
    }
  }

  return (
    <section class="panel" aria-labelledby="up-h">
      <header class="panel-head">
        <h2 id="up-h">{t("up.title")}</h2>
      </header>
      <div class="stack panel-body">
        <p>{t("up.lead")}</p>
        {problem && <ProblemBox what={t("up.what")} problem={problem} />}
        <div class="guard">
          <label>
            <span>{t("up.file")}</span>
            <input ref={input} type="file" name="program" onChange={(e) => setFile(e.currentTarget.files?.[0] ?? null)} />
            <span class="fine">{file ? t("up.bytes", { n: num(file.size, COUNT) ?? "" }) : "\u00a0"}</span>
          </label>
          <Confirm id={view.id} value={confirm} set={setConfirm} />
        </div>
        <h3 class="sub">{t("rev.pre")}</h3>
        <ul class="ticks">
          {before.map(([ok, words]) => (
            <li class={ok ? "tick-ok" : "tick-no"}>
              <Icon name={ok ? "check" : "close"} /> {words}
            </li>
          ))}
        </ul>
        <p>
          <button type="button" class="button primary" data-do="upgrade" disabled={!ready} onClick={() => void send()}>
            {t("up.go")}
          </button>
        </p>
      </div>
    </section>
  );
}

function Restart({ view }: TabProps) {
  const [confirm, setConfirm] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);

  async function send(): Promise<void> {
    setProblem(null);
    try {
      await post(`/vehicles/${view.id}/ops`, { kind: "restart" });
      setConfirm("");
    } catch (e) {
      setProblem(problemOf(e));
    }
  }

  return (
    <section class="panel" aria-labelledby="restart-h">
      <header class="panel-head">
        <h2 id="restart-h">{t("up.restart")}</h2>
      </header>
      <div class="stack panel-body" data-restart>
        <p>{t("up.restart.lead")}</p>
        {problem && <ProblemBox what={t("up.restart")} problem={problem} />}
        <div class="guard">
          <Confirm id={view.id} value={confirm} set={setConfirm} />
        </div>
        <p>
          <button type="button" class="button" data-do="restart" disabled={!confirmed(view.id, confirm)} onClick={() => void send()}>
            {t("up.restart")}
          </button>
        </p>
      </div>
    </section>
  );
}

export function UpgradePage({ view }: TabProps) {
  const upgrade = usePolled<Upgrade>(`/vehicles/${view.id}/upgrade`, POLL_ms);
  const u = upgrade.value.value;
  const boot = view.frame.value?.boot ?? null;
  return (
    <div class="stack page-upgrade">
      <section class="panel" aria-labelledby="up-result">
        <header class="panel-head">
          <h2 id="up-result">{t("up.result")}</h2>
        </header>
        <div class="panel-body">{!u || u.state === "never" ? <Empty text={t("up.none")} /> : <Progress u={u} boot={boot} />}</div>
      </section>
      <Choose view={view} upgrade={upgrade} />
      <Restart view={view} />
    </div>
  );
}
