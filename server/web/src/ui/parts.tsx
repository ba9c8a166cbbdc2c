// SPDX-License-Identifier: Apache-2.0
// parts.tsx -- the small pieces all pages share: figure, skeleton, empty, problem, dialog.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../core/i18n";
import type { Problem } from "../core/types";
import { Icon } from "./glyph";
import { None } from "./live";

interface FigureProps {
  label: string;
  value: string | null; // without its unit; null = no value
  unit?: string | undefined;
  reason?: string | undefined; // why there is none
  note?: ComponentChildren;
  name?: string; // for the tests: data-figure
  small?: boolean;
}

/* A key figure: label, number, unit, one line of words. */
export function Figure({ label, value, unit, reason, note, name, small }: FigureProps) {
  return (
    <div class={small ? "figure figure-small" : "figure"} data-figure={name}>
      <dt>{label}</dt>
      <dd>
        {value === null ? (
          <None reason={reason} />
        ) : (
          <span class="number">
            {value}
            {unit && <span class="unit">{unit}</span>}
          </span>
        )}
        {note && <span class="note">{note}</span>}
      </dd>
    </div>
  );
}

/* Keeps the room of what is being read; drawn only after 150 ms. */
export function Skeleton({ height, label }: { height: number; label: string }) {
  const [shown, show] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => show(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class={shown ? "skeleton" : "skeleton skeleton-wait"} style={{ height: height + "px" }} role="status">
      <span class="sr">{label}</span>
    </div>
  );
}

export function Empty({ text, action, onAction, href }: { text: string; action?: string; onAction?: () => void; href?: string }) {
  return (
    <p class="empty">
      {text}{" "}
      {action && href && <a href={href}>{action}</a>}
      {action && onAction && (
        <button type="button" class="link" onClick={onAction}>
          {action}
        </button>
      )}
    </p>
  );
}

/* What failed, why, which request, and the way to try again. */
export function ProblemBox({ what, problem, retry }: { what: string; problem: Problem; retry?: () => void }) {
  return (
    <div class="problem" role="alert">
      <strong>{t("error.failed", { what })}</strong> <span>{problem.detail || (problem.status === 0 ? t("error.network") : problem.title)}</span>
      {problem.problems && problem.problems.length > 0 && (
        <ul>
          {problem.problems.map((p) => (
            <li>
              {p.field ? <b>{p.field}: </b> : null}
              {p.detail}
            </li>
          ))}
        </ul>
      )}
      <p class="fine">
        {problem.request_id && t("error.request", { id: problem.request_id })}{" "}
        {retry && (
          <button type="button" class="link" onClick={retry}>
            {t("error.retry")}
          </button>
        )}
      </p>
    </div>
  );
}

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  foot: ComponentChildren;
  class?: string;
}

/* A modal dialog: Esc closes, focus stays inside and goes back to where it was. Enter confirms nothing by itself. */
export function Dialog({ title, onClose, children, foot, class: cls = "" }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const dialog = ref.current as HTMLDialogElement;
    dialog.showModal();
    return () => {
      dialog.close();
      if (before?.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={"dialog " + cls}
      aria-labelledby="dialog-title"
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
    >
      <header>
        <h2 id="dialog-title">{title}</h2>
        <button type="button" class="icon-button" aria-label={t("cal.close")} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="dialog-body">{children}</div>
      <footer>{foot}</footer>
    </dialog>
  );
}
