// SPDX-License-Identifier: Apache-2.0
// virtual.tsx -- a list of any length in a scroll box: only the rows in view and a few around them are in the page.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

const AROUND = 6;

interface VirtualProps {
  total: number;
  row_px: number;
  label: string;
  columns: number;
  head?: ComponentChildren;
  render: (index: number) => ComponentChildren;
  onRange: (first: number, last: number) => void;
}

export function Virtual({ total, row_px, label, columns, head, render, onRange }: VirtualProps) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  useLayoutEffect(() => {
    const el = box.current as HTMLDivElement;
    const watch = new ResizeObserver(() => setHeight(el.clientHeight));
    watch.observe(el);
    return () => watch.disconnect();
  }, []);
  const first = Math.max(0, Math.floor(top / row_px) - AROUND);
  const last = Math.min(total, Math.ceil((top + height) / row_px) + AROUND);
  useEffect(() => onRange(first, last), [first, last, total]);
  const rows = [];
  for (let i = first; i < last; i++) rows.push(render(i));
  return (
    <div class="vbox" ref={box} role="region" tabIndex={0} aria-label={label} onScroll={(e) => setTop(e.currentTarget.scrollTop)}>
      <div class="vlist" role="table" aria-label={label} aria-rowcount={total + 1} aria-colcount={columns}>
        {head}
        <div class="vspace" role="rowgroup" style={{ height: total * row_px + "px" }}>
          <div class="vrows" role="presentation" style={{ transform: `translateY(${first * row_px}px)` }}>
            {rows}
          </div>
        </div>
      </div>
    </div>
  );
}
