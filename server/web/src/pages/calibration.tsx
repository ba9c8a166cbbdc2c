import type { TabProps } from "./vehicle";
export function Calibration(_: TabProps) { return null; }
