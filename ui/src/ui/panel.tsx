// The side panel: focus goes to its heading when it opens and back to where it
// was when it closes.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { homeHref, moved, navigate } from '../store/route';
import { Icon } from './icon';

interface Props {
  label: string;
  head: ComponentChildren;
  title: ComponentChildren;
  children: ComponentChildren;
  /** The children scroll on their own (a log). */
  fill?: boolean;
}

export function Panel({ label, head, title, children, fill = false }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    if (moved) heading.current?.focus({ preventScroll: true });
    return () => {
      // Another panel takes the focus itself; nothing else must steal it.
      const inside = document.activeElement === document.body || document.activeElement === heading.current;
      if (inside && before?.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <aside class={`panel ${fill ? 'fill' : 'scroll'}`} aria-label={label}>
      <header class="panel-head">
        {head}
        <button type="button" class="ghost" aria-label="Close panel" title="Close (Esc)" onClick={() => navigate(homeHref())}>
          <Icon name="close" />
        </button>
      </header>
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      {children}
    </aside>
  );
}
