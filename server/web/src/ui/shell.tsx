// SPDX-License-Identifier: Apache-2.0
// shell.tsx -- what stands around every page: the top bar, the bar that says the server is lost, the settings menu, the live region.
import { signal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { mayManage, session, signOut } from "../core/api";
import { age, zone } from "../core/format";
import { lang, LANGUAGES, setLang, t, tr } from "../core/i18n";
import { LOCAL } from "../core/local";
import { route } from "../core/router";
import { setTheme, theme, THEMES } from "../core/theme";
import { second } from "../core/time";
import type { Alarm } from "../core/types";
import { link, newBuild, on, serverLost } from "../stream/client";
import { Icon } from "./glyph";
import { useLazy } from "./lazy";

/* The sign of the product: five bars, one of them watched. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <rect x="1" y="8" width="3" height="8" rx="1" />
      <rect x="6" y="5" width="3" height="14" rx="1" />
      <rect class="mark-watched" x="11" y="2" width="3" height="20" rx="1" />
      <rect x="16" y="6" width="3" height="12" rx="1" />
      <rect x="21" y="9" width="2" height="6" rx="1" />
    </svg>
  );
}

/* "No contact with the server for 18 s. Retrying in 2 s." */
function LostBar() {
  if (!serverLost.value) return null;
  void second.value;
  const l = link.value;
  const gone = performance.now() - l.at;
  const left = Math.ceil((l.retry_in_ms - gone) / 1000);
  return (
    <div class="bar bar-lost" role="status">
      <span>{t("link.lost", { age: age(l.lost_for_ms + gone) })}</span> <span>{left > 0 ? t("link.retry", { s: left }) : t("link.retrying")}</span>
    </div>
  );
}

function BuildBar() {
  if (!newBuild.value) return null;
  return (
    <div class="bar" role="status">
      {t("build.new")}{" "}
      <button type="button" class="link" onClick={() => location.reload()}>
        {t("build.reload")}
      </button>
    </div>
  );
}

function LinkState() {
  const state = serverLost.value ? "lost" : link.value.state === "open" ? "open" : "connecting";
  const words = state === "lost" ? t("link.short") : state === "open" ? t("link.open") : t("link.connecting");
  return (
    <span class={`linkstate linkstate-${state}`} data-link={state}>
      <i aria-hidden="true" />
      <span>{words}</span>
    </span>
  );
}

function Choice<T extends string>({ label, value, options, set }: { label: string; value: T; options: { value: T; words: string }[]; set: (v: T) => void }) {
  return (
    <fieldset class="segment">
      <legend>{label}</legend>
      {options.map((o) => (
        <button type="button" aria-pressed={o.value === value} onClick={() => set(o.value)}>
          {o.words}
        </button>
      ))}
    </fieldset>
  );
}

const LANGUAGE_NAMES = { en: "English", zh: "中文" } as const;

function Menu() {
  const [open, setOpen] = useState(false);
  const [own, setOwn] = useState(false);
  const OwnPassword = useLazy("own", own ? () => import("../pages/ownpassword").then((m) => m.OwnPassword) : undefined);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const shut = (e: Event) => {
      if (e instanceof KeyboardEvent ? e.key === "Escape" : !box.current?.contains(e.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", shut);
    document.addEventListener("keydown", shut);
    return () => {
      document.removeEventListener("pointerdown", shut);
      document.removeEventListener("keydown", shut);
    };
  }, [open]);
  const who = session.value;
  return (
    <div class="menu" ref={box}>
      <button type="button" class="icon-button" aria-label={t("menu.open")} aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="menu" />
      </button>
      {open && (
        <div class="menu-box panel">
          {who && !LOCAL && <p class="fine">{t("menu.signed", { user: who.user, role: tr("role." + who.role, "role.viewer") })}</p>}
          <Choice label={t("menu.theme")} value={theme.value} set={setTheme} options={THEMES.map((v) => ({ value: v, words: tr("menu.theme." + v, "menu.theme") }))} />
          <Choice label={t("menu.language")} value={lang.value} set={setLang} options={LANGUAGES.map((v) => ({ value: v, words: LANGUAGE_NAMES[v] }))} />
          <p class="fine">{t("menu.zone", { zone: zone() })}</p>
          {who && !LOCAL && (
            <>
              <button type="button" class="button" data-do="own" onClick={() => (setOpen(false), setOwn(true))}>
                {t("own.title")}
              </button>
              <button type="button" class="button" onClick={() => void signOut()}>
                {t("menu.signout")}
              </button>
            </>
          )}
        </div>
      )}
      {own && OwnPassword && <OwnPassword close={() => setOwn(false)} />}
    </div>
  );
}

const spoken = signal("");
const SPEAK_ms = 5000;

/* New alarms are said politely, at most one message in 5 s, however many come. */
function Announcer() {
  const waiting = useRef<string[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const last = useRef(-Infinity);
  useEffect(() => {
    const speak = () => {
      timer.current = undefined;
      last.current = performance.now();
      const all = waiting.current.splice(0);
      const text = all[0] ?? "";
      spoken.value = all.length > 1 ? t("announce.alarm", { n: all.length, text }) : t("announce.alarm1", { text });
    };
    const undo = on<{ id: string; change: string; alarm: Alarm }>("alarm", (e) => {
      if (e.change !== "open") return;
      waiting.current.push(`${e.id}: ${e.alarm.text}`);
      timer.current ??= setTimeout(speak, Math.max(0, SPEAK_ms - (performance.now() - last.current)));
    });
    return () => {
      undo();
      clearTimeout(timer.current);
    };
  }, []);
  return (
    <p class="sr" role="status" aria-live="polite" id="announcer">
      {spoken}
    </p>
  );
}

export function Shell({ children }: { children: ComponentChildren }) {
  useSignalEffect(() => {
    const r = route.value;
    document.title = "id" in r ? `${r.id} · ${t("app.name")}` : t("app.name");
  });
  return (
    <>
      <a class="skip" href="#main">
        {t("app.skip")}
      </a>
      <header class="top">
        <a class="brand" href={LOCAL ? "/" : "/fleet"}>
          <Mark />
          <span>{t("app.name")}</span>
        </a>
        {LOCAL ? (
          <span class="cable-mark">
            <span class="wide-only">{t("local.mark")}</span>
            <span class="narrow-only">{t("local.link")}</span>
          </span>
        ) : (
          <nav aria-label={t("app.name")}>
            <a href="/fleet" aria-current={route.value.page === "fleet" ? "page" : undefined}>
              {t("nav.fleet")}
            </a>
            {mayManage() && (
              <a href="/users" aria-current={route.value.page === "users" ? "page" : undefined}>
                {t("nav.users")}
              </a>
            )}
          </nav>
        )}
        <LinkState />
        <Menu />
      </header>
      <LostBar />
      <BuildBar />
      <Announcer />
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
