// A list of rows of one height of which only those in sight exist (UI-131: 5,000
// tasks within 1,500 nodes). The window is the measure, so it works in a box of
// its own as well as in a page that scrolls as a whole.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

const OVERSCAN_ROWS = 12;

interface Props {
  count: number;
  rowPx: number;
  row: (index: number) => ComponentChildren;
  /** This row always exists and comes into sight when it changes; it has the class `active`. */
  active?: number;
  class?: string;
}

export function VirtualList({ count, rowPx, row, active = -1, class: className }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ first: 0, last: 40 });

  useLayoutEffect(() => {
    const measure = (): void => {
      const top = -list.current!.getBoundingClientRect().top;
      const first = Math.max(0, Math.floor(top / rowPx) - OVERSCAN_ROWS);
      const last = Math.ceil((top + innerHeight) / rowPx) + OVERSCAN_ROWS;
      setRange((old) => (old.first === first && old.last === last ? old : { first, last }));
    };
    measure();
    const options = { capture: true, passive: true };
    document.addEventListener('scroll', measure, options); // whichever box scrolls
    addEventListener('resize', measure);
    return () => {
      document.removeEventListener('scroll', measure, options);
      removeEventListener('resize', measure);
    };
  }, [rowPx]);

  useLayoutEffect(() => {
    if (active >= 0) list.current?.querySelector('.active')?.scrollIntoView({ block: 'nearest' });
  }, [active]);

  const shown: ComponentChildren[] = [];
  const last = Math.min(count, range.last);
  for (let i = Math.min(range.first, last); i < last; i++) shown.push(row(i));
  if (active >= 0 && active < count && (active < range.first || active >= last)) shown.push(row(active));
  return (
    <div ref={list} role="presentation" class={`virtual ${className ?? ''}`} style={{ height: `${count * rowPx}px` }}>
      {shown}
    </div>
  );
}
