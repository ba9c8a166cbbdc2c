// SPDX-License-Identifier: Apache-2.0
// userform.tsx -- the dialog of one write about a user, and the field of a new password.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../core/api";
import { t } from "../core/i18n";
import type { Problem } from "../core/types";
import { serverLost } from "../stream/client";
import { Dialog } from "./parts";
import "../styles/users.css";

export const PASSWORD_MIN = 12;

/* Letters that are not taken for one another, when somebody reads them out. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";

function suggestion(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return [...random].map((n, i) => (i > 0 && i % 4 === 0 ? "-" : "") + ALPHABET[n % ALPHABET.length]).join("");
}

interface FormProps {
  title: string;
  go: string;
  ready: boolean;
  send: () => Promise<unknown>;
  done: () => void;
  close: () => void;
  children?: ComponentChildren;
}

/* A dialog with one write: what the server refuses is shown where it was asked for. */
export function Form({ title, go, ready, send, done, close, children }: FormProps) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>("input:not(.sr), select")?.focus(), []);

  async function submit(e: Event): Promise<void> {
    e.preventDefault();
    if (busy || !ready) return;
    setBusy(true);
    setProblem(null);
    try {
      await send();
      done();
    } catch (err) {
      setProblem(err instanceof ApiError ? err.problem : { title: "error", status: 0, code: "error", detail: String(err), request_id: "" });
      setBusy(false);
    }
  }

  const foot = (
    <>
      <button type="button" class="button" data-do="cancel" onClick={close}>
        {t("cal.cancel")}
      </button>
      <button type="submit" form="user-form" class="button primary" data-do="send" disabled={!ready || busy || serverLost.value}>
        {go}
      </button>
    </>
  );
  return (
    <Dialog title={title} onClose={close} foot={foot} class="user-dialog">
      <form id="user-form" ref={form} class="user-form" onSubmit={(e) => void submit(e)} aria-busy={busy}>
        {children}
        <p class="user-refusal" role="alert">
          {problem && (problem.status === 0 ? t("error.network") : t("users.refused", { why: problem.detail }))}
        </p>
      </form>
    </Dialog>
  );
}

/* A new password for somebody else: shown, as it is handed over. */
export function PasswordField({ value, set }: { value: string; set: (s: string) => void }) {
  return (
    <div class="field">
      <label for="user-password">{t("users.password.act")}</label>
      <div class="user-password">
        <input id="user-password" name="password" value={value} minLength={PASSWORD_MIN} maxLength={256} autocomplete="off" autocapitalize="none" spellcheck={false} aria-describedby="user-password-note" required onInput={(e) => set(e.currentTarget.value)} />
        <button type="button" class="button" data-do="suggest" onClick={() => set(suggestion())}>
          {t("users.suggest")}
        </button>
      </div>
      <p class="fine" id="user-password-note">
        {t("users.password.note", { n: PASSWORD_MIN })}
      </p>
    </div>
  );
}
