// SPDX-License-Identifier: Apache-2.0
// signin.tsx -- who are you. The address stays: after signing in the page that was asked for opens.
import { useRef, useState } from "preact/hooks";
import { ApiError, signIn } from "../core/api";
import { t } from "../core/i18n";
import { Mark } from "../ui/shell";

export function SignIn() {
  const [words, say] = useState("");
  const [busy, setBusy] = useState(false);
  const user = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);

  async function submit(e: Event): Promise<void> {
    e.preventDefault();
    if (busy) return;
    setBusy(true);
    say("");
    try {
      await signIn(user.current?.value ?? "", password.current?.value ?? "");
    } catch (err) {
      const p = err instanceof ApiError ? err.problem : null;
      say(p?.status === 401 ? t("signin.wrong") : p?.status === 429 ? t("signin.slow") : p?.detail || t("error.network"));
      setBusy(false);
      password.current?.select();
    }
  }

  return (
    <main class="signin" id="main">
      <form class="panel" onSubmit={(e) => void submit(e)} aria-busy={busy}>
        <div class="signin-head">
          <Mark />
          <h1>{t("app.name")}</h1>
          <p>{t("signin.motto")}</p>
        </div>
        <label>
          <span>{t("signin.user")}</span>
          <input ref={user} name="user" autocomplete="username" autocapitalize="none" spellcheck={false} maxLength={64} required autofocus />
        </label>
        <label>
          <span>{t("signin.password")}</span>
          <input ref={password} name="password" type="password" autocomplete="current-password" maxLength={256} required />
        </label>
        <p class="signin-words" role="alert">
          {words}
        </p>
        <button type="submit" class="button primary" disabled={busy}>
          {busy ? t("signin.busy") : t("signin.submit")}
        </button>
      </form>
    </main>
  );
}
