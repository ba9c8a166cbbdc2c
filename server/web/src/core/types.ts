// SPDX-License-Identifier: Apache-2.0
// types.ts -- the shapes of proto/openapi.yaml, in its words.

export type State = "alarm" | "warning" | "ok" | "offline";
export type Quality = string; // ok, never, stale, open, implausible, not_fitted

export type Role = "viewer" | "operator" | "engineer" | "admin";

export interface Session {
  user: string;
  role: Role;
  tenant?: string; // whose vehicles are seen, "*" = all; not over a cable
  csrf: string;
  server_time: number;
  build: string;
  vehicle?: string; // over a cable: the one there is
}

export interface User {
  name: string;
  role: Role;
  tenant: string;
  disabled: boolean;
  of_file: boolean; // made by the server's password file
  sessions: number;
  created_at: number;
  changed_at: number;
}

/* A program on its way into the board, over a cable. */
export interface Upgrade {
  state: "never" | "waiting" | "working" | "done" | "failed";
  phase: "progress" | "erase" | "begin" | "data" | "exit" | "check" | "restart" | "done";
  sent: number;
  size: number;
  resumed: number;
  boot: number | null; // the board's start when it began
  began_at: number | null;
  changed_at: number | null;
  detail: string;
}

/* Simulated failures, over a cable. */
export interface Simulation {
  state: Upgrade["state"];
  detail: string;
  changed_at: number | null;
  active: { alarm: number; seconds: number }[];
}

/* Over a cable: which tables the board has when they are not this program's, and its parameters by them when they have been read. */
export interface BoardTables {
  ours: string;
  board: string | null;
  state: Upgrade["state"];
  detail: string;
  got: number;
  size: number;
  params: { id: number; name: string; unit: string; min: number; max: number; running: number; stored: number }[];
}

export interface Problem {
  type?: string;
  title: string;
  status: number;
  code: string;
  field?: string;
  detail: string;
  request_id: string;
  problems?: { code: string; field?: string; detail: string }[];
}

export interface FleetSummary {
  as_of: number;
  counts: Record<State, number>;
  attention: { id: string; state: State; reason: string; since: number }[];
}

export interface FleetRow {
  id: string;
  name: string;
  state: State;
  reason: string | null;
  online: boolean;
  link_at: number | null;
  mode: string;
  period_ms: number;
  chemistry: string;
  cells: number;
  soc_permyriad: number | null;
  pack_voltage_mV: number | null;
  pack_current_mA: number | null;
  cell_max_mV: number | null;
  cell_min_mV: number | null;
  spread_mV: number | null;
  temp_max_ddegC: number | null;
  temp_min_ddegC: number | null;
  measured_at: number | null;
  received_at: number | null;
}

export interface FleetPage {
  as_of: number;
  total: number;
  rows: FleetRow[];
}

export interface Alarm {
  alarm: string;
  level: "warning" | "major";
  number: number;
  value: number;
  limit: number | null;
  unit: string;
  text: string;
  since: number;
}

export interface Frame {
  id: string;
  boot: number;
  no: number;
  measured_at: number;
  received_at: number;
  scalars: Record<string, number | null>;
  quality: Record<string, Quality>;
  cell_mV: (number | null)[];
  cell_quality: Record<string, Quality>;
  temp_ddegC: (number | null)[];
  temp_quality: Record<string, Quality>;
  balancing: number[];
  alarms: Alarm[];
}

export interface Module {
  name: string;
  first_cell: number;
  cells: number;
  first_temp: number;
  temps: number;
}

export interface Vehicle {
  row: FleetRow;
  frame: Frame | null;
  version: string;
  boot: number | null;
  epoch: string | null;
  journal_records: number | null;
  board_dropped: number | null;
  journal_dropped: number | null;
  layout: Module[];
}

export interface ParamValue {
  id: number;
  running: number | null;
  stored: number | null;
  desired: number | null;
}

export interface Params {
  id: string;
  running_hash: number | null;
  stored_hash: number | null;
  read_at: number | null;
  boot: number | null;
  values: ParamValue[];
}

export interface Op {
  op: string;
  id: string;
  kind: "calibrate" | "flash" | "restart" | "read";
  by: string;
  reason: string | null;
  state: "queued" | "sent" | "done" | "failed" | "expired";
  detail: string | null;
  created_at: number;
  changed_at: number;
  readback?: { id: number; wanted: number | null; running: number | null; stored: number | null; ok: boolean }[];
}

export interface SignalRow {
  name: string;
  unit: string;
  min: number;
  max: number;
  text: string;
  enum?: Record<string, string>;
}

export interface ParamRow {
  id: number;
  name: string;
  group: string;
  unit: string;
  min: number;
  max: number;
  defaults: Record<string, number>;
  restart: boolean;
  text: string;
  why: string;
}

export interface AlarmRow {
  id: number;
  name: string;
  level: string;
  unit: string;
  limit_param: string | null;
  dtc: number;
  text: string;
}

export interface Catalogue {
  hash: string;
  signals: SignalRow[];
  params: ParamRow[];
  alarms: AlarmRow[];
}

export interface History {
  from: number;
  to: number;
  step_ms: number;
  t: number[];
  series: Record<string, { unit: string; min: (number | null)[]; mean: (number | null)[]; max: (number | null)[]; count: number[] }>;
}
