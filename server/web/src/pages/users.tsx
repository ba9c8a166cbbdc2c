// SPDX-License-Identifier: Apache-2.0
// users.tsx -- who may sign in. For administrators: add, change what one may and sees, a new password, disable, remove.
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError, get, loadSession, patch, post, remove, session } from "../core/api";
import { COUNT, num, stamp } from "../core/format";
import { t, tr } from "../core/i18n";
import type { Problem, Role, User } from "../core/types";
import { Resource } from "../data/resource";
import { serverLost } from "../stream/client";
import { Dialog, Empty, ProblemBox, Skeleton } from "../ui/parts";
import "../styles/users.css";

const ROLES: Role[] = ["viewer", "operator", "engineer", "admin"];
const PASSWORD_MIN = 12;

/* Letters that are not taken for one another, when somebody reads them out. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";

function suggestion(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return [...random].map((n, i) => (i > 0 && i % 4 === 0 ? "-" : "") + ALPHABET[n % ALPHABET.length]).join("");
}

const roleWords = (role: string): string => tr("role." + role, "role.viewer");
const tenantWords = (tenant: string): string => (tenant === "*" ? t("users.all") : tenant);
const isSelf = (user: User): boolean => session.value?.user === user.name;
const seesAll = (): boolean => session.value?.tenant === "*";

type Act = { kind: "add" } | { kind: "change" | "password" | "disable" | "enable" | "remove"; user: User };

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
function Form({ title, go, ready, send, done, close, children }: FormProps) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>("input, select")?.focus(), []);

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

function PasswordField({ value, set }: { value: string; set: (s: string) => void }) {
  return (
    <div class="field">
      <label for="user-password">{t("users.password")}</label>
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

function RightsFields({ role, setRole, tenant, setTenant }: { role: Role; setRole: (r: Role) => void; tenant: string; setTenant: (s: string) => void }) {
  return (
    <>
      <label class="field">
        <span>{t("users.role")}</span>
        <select name="role" value={role} onChange={(e) => setRole(e.currentTarget.value as Role)}>
          {ROLES.map((r) => (
            <option value={r}>{roleWords(r)}</option>
          ))}
        </select>
        <span class="fine">{tr("users.role." + role, "users.role")}</span>
      </label>
      {seesAll() && (
        <label class="field">
          <span>{t("users.tenant")}</span>
          <input name="tenant" value={tenant} maxLength={62} autocomplete="off" autocapitalize="none" spellcheck={false} required onInput={(e) => setTenant(e.currentTarget.value)} />
          <span class="fine">{t("users.tenant.note")}</span>
        </label>
      )}
    </>
  );
}

type DialogOf = { close: () => void; done: () => void };

function Add({ close, done }: DialogOf) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [tenant, setTenant] = useState(seesAll() ? "" : (session.value?.tenant ?? ""));
  const [password, setPassword] = useState("");
  const ready = name !== "" && tenant !== "" && password.length >= PASSWORD_MIN;
  return (
    <Form title={t("users.add")} go={t("users.add")} ready={ready} send={() => post("/users", { name, role, tenant, password })} done={done} close={close}>
      <label class="field">
        <span>{t("signin.user")}</span>
        <input name="name" value={name} maxLength={64} autocomplete="off" autocapitalize="none" spellcheck={false} required onInput={(e) => setName(e.currentTarget.value)} />
        <span class="fine">{t("users.name.note")}</span>
      </label>
      <RightsFields role={role} setRole={setRole} tenant={tenant} setTenant={setTenant} />
      <PasswordField value={password} set={setPassword} />
    </Form>
  );
}

const pathOf = (user: User): string => `/users/${encodeURIComponent(user.name)}`;

function Change({ user, close, done }: DialogOf & { user: User }) {
  const [role, setRole] = useState<Role>(user.role);
  const [tenant, setTenant] = useState(user.tenant);
  const body = { ...(role !== user.role ? { role } : {}), ...(tenant !== user.tenant ? { tenant } : {}) };
  const ready = tenant !== "" && Object.keys(body).length > 0;
  return (
    <Form title={t("users.change.title", { user: user.name })} go={t("users.save")} ready={ready} send={() => patch(pathOf(user), body)} done={done} close={close}>
      <RightsFields role={role} setRole={setRole} tenant={tenant} setTenant={setTenant} />
    </Form>
  );
}

function NewPassword({ user, close, done }: DialogOf & { user: User }) {
  const [password, setPassword] = useState("");
  return (
    <Form title={t("users.password.title", { user: user.name })} go={t("users.save")} ready={password.length >= PASSWORD_MIN} send={() => patch(pathOf(user), { password })} done={done} close={close}>
      <p>{t("users.password.lead")}</p>
      <PasswordField value={password} set={setPassword} />
    </Form>
  );
}

/* A question with one answer: disable, enable, remove. */
function Ask({ act, user, close, done }: DialogOf & { act: "disable" | "enable" | "remove"; user: User }) {
  const send = () => (act === "remove" ? remove(pathOf(user)) : patch(pathOf(user), { disabled: act === "disable" }));
  return (
    <Form title={t(`users.${act}.title`, { user: user.name })} go={t(`users.${act}`)} ready send={send} done={done} close={close}>
      <p>{t(`users.${act}.lead`)}</p>
    </Form>
  );
}

function ActDialog({ act, close, done }: DialogOf & { act: Act }) {
  if (act.kind === "add") return <Add close={close} done={done} />;
  if (act.kind === "change") return <Change user={act.user} close={close} done={done} />;
  if (act.kind === "password") return <NewPassword user={act.user} close={close} done={done} />;
  return <Ask act={act.kind} user={act.user} close={close} done={done} />;
}

function Row({ user, begin }: { user: User; begin: (act: Act) => void }) {
  const button = (kind: Exclude<Act["kind"], "add">, words: string) => (
    <button type="button" class="button" data-do={kind} aria-label={`${words}: ${user.name}`} onClick={() => begin({ kind, user })}>
      {words}
    </button>
  );
  return (
    <li class="user" data-user={user.name} data-disabled={user.disabled}>
      <div class="user-who">
        <b>{user.name}</b> {isSelf(user) && <span class="fine">{t("users.self")}</span>}
      </div>
      <div class="user-role">{roleWords(user.role)}</div>
      <div class="user-tenant">{tenantWords(user.tenant)}</div>
      <div class="user-state">
        {user.disabled ? <span class="badge badge-grey">{t("users.disabled")}</span> : user.sessions > 0 ? t("users.in", { n: num(user.sessions, COUNT) }) : t("users.out")}
        <span class="fine">{t("users.changed", { time: stamp(user.changed_at) })}</span>
      </div>
      <div class="user-acts">
        {button("change", t("users.change"))}
        {!user.of_file && button("password", t("users.password.act"))}
        {user.disabled ? button("enable", t("users.enable")) : button("disable", t("users.disable"))}
        {!user.of_file && button("remove", t("users.remove"))}
        {user.of_file && <p class="fine">{t("users.of_file")}</p>}
      </div>
    </li>
  );
}

interface Users {
  as_of: number;
  users: User[];
}

export function UsersPage() {
  const users = useMemo(() => new Resource<Users>(() => get<Users>("/users")), []);
  const [act, setAct] = useState<Act | null>(null);
  useEffect(() => {
    void users.load();
    return () => users.stop();
  }, [users]);
  const list = users.value.value?.users;
  const problem = users.problem.value;

  /* What was done to oneself may have changed what one may. */
  function done(): void {
    const self = act && act.kind !== "add" && isSelf(act.user);
    setAct(null);
    void (self ? loadSession().then(() => users.load()) : users.load());
  }

  return (
    <div class="page page-users">
      <section class="panel" aria-labelledby="users-h">
        <header class="panel-head">
          <h1 id="users-h">{t("users.title")}</h1>
          <button type="button" class="button primary panel-side" data-do="add" onClick={() => setAct({ kind: "add" })}>
            {t("users.add")}
          </button>
        </header>
        {problem && <ProblemBox what={t("users.what")} problem={problem} retry={() => void users.load()} />}
        {!list && !problem && <Skeleton height={240} label={t("link.connecting")} />}
        {list && list.length === 0 && <Empty text={t("users.none")} />}
        {list && list.length > 0 && (
          <ul class="users" aria-label={t("users.title")}>
            {list.map((user) => (
              <Row key={user.name} user={user} begin={setAct} />
            ))}
          </ul>
        )}
      </section>
      {act && <ActDialog act={act} close={() => setAct(null)} done={done} />}
    </div>
  );
}
