// A menu button (WAI-ARIA pattern): arrows move, Enter and Space choose, Escape
// and a click outside close, focus goes back to the button.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icon';

export interface MenuItem {
  id: string;
  label: ComponentChildren;
  checked?: boolean;
}

interface Props {
  label: string; // the button's accessible name
  button: ComponentChildren;
  items: MenuItem[];
  align?: 'start' | 'end';
  onOpen?: () => void;
  onChoose: (id: string) => void;
}

export function Menu({ label, button, items, align = 'start', onOpen, onChoose }: Props) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const trigger = useRef<HTMLButtonElement>(null);

  const entries = (): HTMLElement[] => [...(box.current?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])];
  const shut = (): void => {
    setOpen(false);
    trigger.current?.focus();
  };

  useEffect(() => {
    if (!open) return;
    const all = entries();
    (all.find((entry) => entry.ariaChecked === 'true') ?? all[0])?.focus();
    const outside = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);

  const onKey = (event: KeyboardEvent): void => {
    if (!open) return;
    const all = entries();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
    const to = moves[event.key];
    if (to !== undefined) all[(to + all.length) % all.length]?.focus();
    else if (event.key === 'Escape') shut();
    else if (event.key === 'Tab') return setOpen(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div class="menu" ref={box} onKeyDown={onKey}>
      <button
        type="button"
        class="ghost"
        ref={trigger}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => {
          if (!open) onOpen?.();
          setOpen(!open);
        }}
      >
        {button}
      </button>
      {open && (
        <div class={`popover ${align}`} role="menu" aria-label={label}>
          {items.map((item) => (
            <button
              type="button"
              key={item.id}
              role="menuitemradio"
              aria-checked={item.checked ?? false}
              tabIndex={-1}
              onClick={() => {
                shut();
                onChoose(item.id);
              }}
            >
              <span class="tick">{item.checked && <Icon name="check" />}</span>
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
