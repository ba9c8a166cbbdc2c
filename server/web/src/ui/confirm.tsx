// SPDX-License-Identifier: Apache-2.0
// confirm.tsx -- type the last 4 characters of the vehicle's id: the guard before what cannot be undone by a restart.
import { t } from "../core/i18n";

interface ConfirmProps {
  id: string;
  value: string;
  set: (s: string) => void;
}

export const confirmed = (id: string, value: string): boolean => value === id.slice(-4);

export function Confirm({ id, value, set }: ConfirmProps) {
  const wrong = value.length >= 4 && !confirmed(id, value);
  return (
    <label>
      <span>{t("rev.confirm", { id })}</span>
      <input name="confirm" value={value} maxLength={8} autocomplete="off" autocapitalize="none" spellcheck={false} aria-invalid={wrong} onInput={(e) => set(e.currentTarget.value)} />
      <span class="refusal" role="alert">
        {wrong ? t("rev.confirm.wrong") : ""}
      </span>
    </label>
  );
}
