// Statuses as shapes, so that colour is never the only sign (UI-112, Q12).
import type { ComponentChildren } from 'preact';
import type { IssueStatus, RunStatus } from '../api/types';
import { humanise } from '../store/runs';

const RING = <circle cx="8" cy="8" r="6" />;

const ISSUE_SHAPES: Record<IssueStatus, ComponentChildren> = {
  backlog: <circle cx="8" cy="8" r="6" stroke-dasharray="2.400 2.300" />,
  todo: RING,
  in_progress: <path d="M13.500 5.600A6 6 0 108 14a6 6 0 005.900-4.900M13.800 2.500v3.400h-3.400" />,
  in_review: (
    <>
      {RING}
      <circle cx="8" cy="8" r="2" class="solid" />
    </>
  ),
  blocked: (
    <>
      {RING}
      <path d="M5.300 8h5.400" />
    </>
  ),
  done: (
    <>
      {RING}
      <path d="M5.300 8.200l1.900 1.900 3.500-4" />
    </>
  ),
  cancelled: (
    <>
      {RING}
      <path d="M4 12l8-8" />
    </>
  ),
};

export function issueStatusWords(status: IssueStatus): string {
  return status === 'todo' ? 'To do' : humanise(status);
}

/** `covered`: blocked, but everything in the way is itself being worked on. */
export function IssueStatusIcon({ status, covered = false }: { status: IssueStatus; covered?: boolean }) {
  const words = issueStatusWords(status);
  return (
    <svg class={`icon s-${covered ? 'in_progress' : status}`} viewBox="0 0 16 16" width="16" height="16" role="img" aria-label={words}>
      <title>{words}</title>
      {ISSUE_SHAPES[status] ?? RING}
    </svg>
  );
}

const RUN_SHAPES: Record<RunStatus, ComponentChildren> = {
  queued: <path d="M8 4.500V8l2.200 1.400M8 2a6 6 0 100 12A6 6 0 008 2z" />,
  scheduled_retry: <path d="M8 4.500V8l2.200 1.400M8 2a6 6 0 100 12A6 6 0 008 2z" />,
  running: <path d="M8 2a6 6 0 106 6" class="turning" />,
  succeeded: ISSUE_SHAPES.done,
  interrupted: ISSUE_SHAPES.cancelled,
  failed: (
    <>
      {RING}
      <path d="M8 4.800v3.800M8 11v.1" />
    </>
  ),
  cancelled: ISSUE_SHAPES.cancelled,
  timed_out: <path d="M8 4.500V8l2.200 1.400M8 2a6 6 0 100 12A6 6 0 008 2z" />,
};

export function RunStatusIcon({ status }: { status: RunStatus }) {
  const words = humanise(status);
  return (
    <svg class={`icon r-${status}`} viewBox="0 0 16 16" width="16" height="16" role="img" aria-label={words}>
      <title>{words}</title>
      {RUN_SHAPES[status] ?? RING}
    </svg>
  );
}

export function RunBadge({ status }: { status: RunStatus }) {
  return <span class={`badge r-${status}`}>{humanise(status)}</span>;
}

export function LivePill() {
  return (
    <span class="pill-live">
      <span class="dot pulse" aria-hidden="true" />
      Live
    </span>
  );
}
