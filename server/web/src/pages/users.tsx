// SPDX-License-Identifier: Apache-2.0
// users.tsx -- who may sign in. For administrators: add, change what one may and sees, a new password, disable, remove.
import { useEffect, useMemo, useState } from "preact/hooks";
import { get, loadSession, patch, post, remove, session } from "../core/api";
import { COUNT, num, stamp } from "../core/format";
import { t, tr } from "../core/i18n";
import type { Role, User } from "../core/types";
import { Resource } from "../data/resource";
import { Empty, ProblemBox, Skeleton } from "../ui/parts";
import { Form, PASSWORD_MIN, PasswordField } from "../ui/userform";
import "../styles/users.css";

const ROLES: Role[] = ["viewer", "operator", "engineer", "admin"];
const roleWords = (role: string): string => tr("role." + role, "role.viewer");
const tenantWords = (tenant: string): string => (tenant === "*" ? t("users.all") : tenant);
const isSelf = (user: User): boolean => session.value?.user === user.name;
const seesAll = (): boolean => session.value?.tenant === "*";

type Act = { kind: "add" } | { kind: "change" | "password" | "disable" | "enable" | "remove"; user: User };

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
