// Where the keyboard stands in the task tree, and the keys that go to a section.
import { signal } from '@preact/signals';
import { tree } from './tables';

/** The active task, by id: it keeps its place as rows come and go. */
export const activeTask = signal<string | null>(null);

export function moveTask(step: 1 | -1): boolean {
  const rows = tree.peek();
  if (rows.length === 0) return false;
  const at = rows.findIndex((row) => row.issue.id === activeTask.peek());
  const next = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step));
  activeTask.value = rows[next]!.issue.id;
  return focusSection('tasks');
}

/** False when there is nothing in that section to stand on. */
export function focusSection(name: 'agents' | 'tasks' | 'runs'): boolean {
  const target = document.getElementById(name)?.querySelector<HTMLElement>('[role=tree], a');
  target?.focus();
  return target !== null && target !== undefined;
}
