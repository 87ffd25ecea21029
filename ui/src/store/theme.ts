// Light, dark, or as the system has it (UI-113). theme.ts at the root of src/
// applies the same rule before first paint.
import { effect, signal } from '@preact/signals';

export type Theme = 'light' | 'dark' | 'system';
const STORED = 'paperclip.theme';

function read(): Theme {
  try {
    const value = localStorage.getItem(STORED);
    if (value === 'light' || value === 'dark') return value;
  } catch {
    // No storage: the system decides.
  }
  return 'system';
}

export const theme = signal<Theme>(read());

export function chooseTheme(choice: Theme): void {
  theme.value = choice;
  try {
    if (choice === 'system') localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, choice);
  } catch {
    // The choice then lasts as long as the page.
  }
}

export function startTheme(): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const systemDark = signal(system.matches);
  system.addEventListener('change', () => (systemDark.value = system.matches));
  effect(() => {
    const dark = theme.value === 'dark' || (theme.value === 'system' && systemDark.value);
    document.documentElement.classList.toggle('dark', dark);
  });
}
