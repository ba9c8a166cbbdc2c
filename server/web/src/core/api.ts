// SPDX-License-Identifier: Apache-2.0
// api.ts -- requests to /api/v1. Every request ends: by an answer, by a problem, or after 10 s.
import { signal } from "@preact/signals";
import { recall, remember } from "./keep";
import { LOCAL } from "./local";
import { setServerTime } from "./time";
import type { Problem, Session } from "./types";

const BASE = "/api/v1";
const TIMEOUT_ms = 10_000;
const BYTES_TIMEOUT_ms = 60_000;

export const session = signal<Session | null>(null);
export const sessionKnown = signal(false); // has the server been asked who we are?

/* May this user make others? Over a cable there are none. */
export const mayManage = (): boolean => !LOCAL && session.value?.role === "admin";

export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title);
  }
}

function local(code: string, detail: string, status = 0): ApiError {
  return new ApiError({ title: code, status, code, detail, request_id: "" });
}

async function problemOf(res: Response): Promise<ApiError> {
  try {
    const body = (await res.json()) as Problem;
    if (body && typeof body.code === "string") return new ApiError(body);
  } catch {
    /* not JSON: a proxy answered */
  }
  return local("http", `HTTP ${res.status}`, res.status);
}

/* A body that is no JSON goes as bytes, with a time-out of its own. */
async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  const bytes = body instanceof Blob;
  if (body !== undefined) headers["Content-Type"] = bytes ? "application/octet-stream" : "application/json";
  if (method !== "GET" && session.value) headers["X-CSRF"] = session.value.csrf;
  const init: RequestInit = { method, headers, signal: AbortSignal.timeout(bytes ? BYTES_TIMEOUT_ms : TIMEOUT_ms), credentials: "same-origin" };
  if (body !== undefined) init.body = bytes ? body : JSON.stringify(body);
  let res: Response;
  try {
    res = await fetch(BASE + path, init);
  } catch {
    throw local("network", "");
  }
  if (res.status === 401 && path !== "/session") session.value = null;
  if (!res.ok) throw await problemOf(res);
  return res.status === 204 ? (undefined as T) : ((await res.json()) as T);
}

export const get = <T>(path: string) => request<T>("GET", path);
export const post = <T>(path: string, body: unknown) => request<T>("POST", path, body);
export const patch = <T>(path: string, body: unknown) => request<T>("PATCH", path, body);
export const remove = (path: string) => request<void>("DELETE", path);

function accept(s: Session | null): void {
  if (s) setServerTime(s.server_time);
  remember("signed", s ? "1" : null);
  session.value = s;
  sessionKnown.value = true;
}

/* Ask who is signed in. A server that does not answer is asked again; it is not an error of this page.
 * A browser where nobody signed in is not asked: the refusal would only be an error in its log. */
export async function loadSession(): Promise<void> {
  if (!LOCAL && recall("signed") === null) return accept(null);
  for (let wait_ms = 500; ; wait_ms = Math.min(4000, wait_ms * 2)) {
    try {
      accept(await get<Session>("/session"));
      return;
    } catch (e) {
      if (e instanceof ApiError && e.problem.status === 401) return accept(null);
    }
    await new Promise((done) => setTimeout(done, wait_ms));
  }
}

export async function signIn(user: string, password: string): Promise<void> {
  accept(await post<Session>("/session", { user, password }));
}

export async function signOut(): Promise<void> {
  try {
    await request<void>("DELETE", "/session");
  } finally {
    accept(null);
  }
}
