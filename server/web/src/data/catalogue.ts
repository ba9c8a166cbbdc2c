// SPDX-License-Identifier: Apache-2.0
// catalogue.ts -- the tables of proto/ as the server has them: signals, parameters, alarms. Read once.
import { get } from "../core/api";
import type { AlarmRow, Catalogue, ParamRow, SignalRow } from "../core/types";
import { Resource } from "./resource";

export const catalogue = new Resource<Catalogue>(() => get<Catalogue>("/catalogue"));

let asked = false;
export function needCatalogue(): void {
  if (asked) return;
  asked = true;
  void catalogue.load();
}

export const signalRow = (name: string): SignalRow | undefined => catalogue.value.value?.signals.find((s) => s.name === name);
export const paramRow = (id: number): ParamRow | undefined => catalogue.value.value?.params.find((p) => p.id === id);
export const alarmRow = (name: string): AlarmRow | undefined => catalogue.value.value?.alarms.find((a) => a.name === name);
