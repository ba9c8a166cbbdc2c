import type { TabProps } from "./vehicle";
export function History(_: TabProps) { return null; }
