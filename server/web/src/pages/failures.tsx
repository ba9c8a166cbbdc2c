// SPDX-License-Identifier: Apache-2.0
// failures.tsx -- over a cable: let the board behave as if something had failed, for a while. Guarded, and it ends by itself.
import { useState } from "preact/hooks";
import { ApiError, post } from "../core/api";
import { tableWords, t } from "../core/i18n";
import type { Problem, Simulation } from "../core/types";
import { catalogue } from "../data/catalogue";
import { usePolled } from "../data/poll";
import { Confirm, confirmed } from "../ui/confirm";
import { Empty, ProblemBox } from "../ui/parts";
import type { TabProps } from "./vehicle";
import "../styles/calibration.css";

const POLL_ms = 1000;
const SECONDS = [10, 60, 300, 600]; // the board simulates for 10 min at most

const nameOf = (id: number): string => {
  const row = catalogue.value.value?.alarms.find((a) => a.id === id);
  return row ? tableWords(row.text) : String(id);
};

function Active({ s, end }: { s: Simulation | null; end: () => void }) {
  if (!s || s.active.length === 0) return <Empty text={t("fail.none")} />;
  return (
    <>
      <ul class="plain-list" data-active={s.active.length}>
        {s.active.map((a) => (
          <li>{t("fail.left", { name: nameOf(a.alarm), n: a.seconds })}</li>
        ))}
      </ul>
      <p>
        <button type="button" class="button" data-do="end" onClick={end}>
          {t("fail.end")}
        </button>
      </p>
    </>
  );
}

export function Failures({ view }: TabProps) {
  const path = `/vehicles/${view.id}/simulation`;
  const simulation = usePolled<Simulation>(path, POLL_ms);
  const [alarm, setAlarm] = useState(0);
  const [seconds, setSeconds] = useState(60);
  const [confirm, setConfirm] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [asked, setAsked] = useState(false);
  const rows = catalogue.value.value?.alarms ?? [];
  const s = simulation.value.value;
  const ready = alarm !== 0 && confirmed(view.id, confirm);

  async function send(body: object): Promise<void> {
    setProblem(null);
    setAsked(true);
    try {
      simulation.value.value = await post<Simulation>(path, body);
      setConfirm("");
    } catch (e) {
      setProblem(e instanceof ApiError ? e.problem : { title: "error", status: 0, code: "error", detail: String(e), request_id: "" });
    }
  }

  return (
    <div class="stack page-failures">
      <section class="panel" aria-labelledby="fail-active">
        <header class="panel-head">
          <h2 id="fail-active">{t("fail.active")}</h2>
        </header>
        <div class="stack panel-body" role="status">
          <Active s={s} end={() => void send({ alarm: 0 })} />
          {asked && s?.detail ? (
            <p class="op-detail" data-refused>
              {t("fail.refused", { why: s.detail })}
            </p>
          ) : null}
        </div>
      </section>
      <section class="panel" aria-labelledby="fail-h">
        <header class="panel-head">
          <h2 id="fail-h">{t("fail.title")}</h2>
        </header>
        <div class="stack panel-body">
          <p>{t("fail.lead")}</p>
          {problem && <ProblemBox what={t("fail.what")} problem={problem} />}
          <div class="guard">
            <label>
              <span>{t("fail.alarm")}</span>
              <select name="alarm" value={String(alarm)} onChange={(e) => setAlarm(Number(e.currentTarget.value))}>
                <option value="0">–</option>
                {rows.map((a) => (
                  <option value={String(a.id)}>{tableWords(a.text)}</option>
                ))}
              </select>
            </label>
            <label>
              <span>{t("fail.seconds")}</span>
              <select name="seconds" value={String(seconds)} onChange={(e) => setSeconds(Number(e.currentTarget.value))}>
                {SECONDS.map((n) => (
                  <option value={String(n)}>{t("fail.s", { n })}</option>
                ))}
              </select>
            </label>
            <Confirm id={view.id} value={confirm} set={setConfirm} />
          </div>
          <p>
            <button type="button" class="button primary" data-do="simulate" disabled={!ready} onClick={() => void send({ alarm, seconds, confirm })}>
              {t("fail.go")}
            </button>
          </p>
        </div>
      </section>
    </div>
  );
}
