// The second hand. Elapsed times subscribe to `now`; it stands still while the
// page is hidden and jumps to the right time when it is shown again.
import { signal } from '@preact/signals';
import { serverNow } from '../api/client';

export const now = signal(serverNow());

let timer: ReturnType<typeof setInterval> | undefined;

function run(): void {
  clearInterval(timer);
  now.value = serverNow();
  if (!document.hidden) timer = setInterval(() => (now.value = serverNow()), 1_000);
}

export function startClock(): void {
  document.addEventListener('visibilitychange', run);
  run();
}

/** 0:07, 12:30, 1:02:10. */
export function clockWords(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const seconds = String(total % 60).padStart(2, '0');
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
}

/** A finished duration: 240 ms, 7.2 s, 3 m 20 s, 2 h 5 m. */
export function durationWords(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} m ${Math.floor((ms % 60_000) / 1_000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}

/** now, 12 s ago, 3 m ago, 2 h ago, 5 d ago. */
export function agoWords(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 3) return 'now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}
