// SPDX-License-Identifier: Apache-2.0
// ownpassword.tsx -- everybody changes the own password; other browsers where the user is signed in are signed out.
import { useState } from "preact/hooks";
import { post, session } from "../core/api";
import { t } from "../core/i18n";
import { Form, PASSWORD_MIN } from "../ui/userform";

export function OwnPassword({ close }: { close: () => void }) {
  const [password, setPassword] = useState("");
  const [next, setNext] = useState("");
  const ready = password !== "" && next.length >= PASSWORD_MIN;
  const send = () => post("/session/password", { password, new_password: next });
  return (
    <Form title={t("own.title")} go={t("users.save")} ready={ready} send={send} done={close} close={close}>
      <p>{t("own.lead")}</p>
      <input class="sr" name="username" value={session.value?.user} autocomplete="username" readOnly tabIndex={-1} aria-hidden="true" />
      <label class="field">
        <span>{t("own.now")}</span>
        <input name="now" type="password" value={password} maxLength={256} autocomplete="current-password" required onInput={(e) => setPassword(e.currentTarget.value)} />
      </label>
      <label class="field">
        <span>{t("users.password.act")}</span>
        <input name="password" type="password" value={next} minLength={PASSWORD_MIN} maxLength={256} autocomplete="new-password" required onInput={(e) => setNext(e.currentTarget.value)} />
        <span class="fine">{t("own.note", { n: PASSWORD_MIN })}</span>
      </label>
    </Form>
  );
}
