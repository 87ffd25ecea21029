// What a task's panel shows beyond the row the tables have: full description,
// comments, runs. Fetched once when the panel opens, then kept by frames.
import { signal } from '@preact/signals';
import { get } from '../api/client';
import type { Comment, Frame, Issue, WireRun } from '../api/types';
import { listen, putIssue } from './frames';
import { toRun } from './runs';
import { issues, runs } from './tables';

const ROW_DESCRIPTION_CHARS = 1_200;

export class Thread {
  readonly detail = signal<Issue | null>(null);
  readonly comments = signal<Comment[] | null>(null);
  readonly failure = signal<string | null>(null);
  private readonly abort = new AbortController();
  private readonly unlisten: () => void;
  private id: string | null = null;
  private lookingForComments = false;

  constructor(private readonly key: string) {
    this.unlisten = listen((frame) => this.hear(frame));
    void this.load();
  }

  close(): void {
    this.unlisten();
    this.abort.abort();
  }

  async load(): Promise<void> {
    this.failure.value = null;
    const path = `/issues/${encodeURIComponent(this.key)}`;
    const { signal } = this.abort;
    try {
      const [detail, comments, wireRuns] = await Promise.all([
        get<Issue>(path, signal),
        get<Comment[]>(`${path}/comments?order=asc`, signal),
        get<WireRun[]>(`${path}/runs`, signal),
      ]);
      this.id = detail.id;
      this.detail.value = detail;
      putIssue(detail);
      this.comments.value = merge(comments, this.comments.peek() ?? []);
      for (const wire of wireRuns) {
        const run = toRun({ ...wire, issueId: detail.id });
        // The tables' row is kept by frames and knows more (reason, last line).
        if (run && !runs.peek(run.id)) runs.put(run);
      }
    } catch (error) {
      if (!signal.aborted) this.failure.value = error instanceof Error ? error.message : String(error);
    }
  }

  private hear(frame: Frame): void {
    if (frame.type !== 'activity.logged') return;
    const said = frame.payload as { entityType: string; entityId: string; action: string; comment?: Comment };
    const id = this.id ?? issues.all().find((issue) => issue.identifier === this.key)?.id;
    if (said.entityType !== 'issue' || said.entityId !== id) return;
    if (!this.detail.peek() && this.failure.peek()) {
      void this.load(); // it was not there when the panel opened, now it is
      return;
    }
    if (said.comment) this.comments.value = merge(this.comments.peek() ?? [], [said.comment]);
    else if (said.action.includes('comment')) void this.lookForComments();
    else if (said.action === 'issue.updated') this.followRow();
  }

  /** A row cuts long descriptions (IS-15): the full one is kept while the row is its beginning. */
  private followRow(): void {
    const row = this.id ? issues.peek(this.id) : undefined;
    const detail = this.detail.peek();
    if (!row || !detail) return;
    const cut = [...(row.description ?? '')].length >= ROW_DESCRIPTION_CHARS;
    const begins = detail.description?.startsWith(row.description ?? '') ?? false;
    if (cut && !begins) void this.load();
    else this.detail.value = { ...detail, ...row, description: cut ? detail.description : row.description };
  }

  private async lookForComments(): Promise<void> {
    if (this.lookingForComments || !this.id) return;
    this.lookingForComments = true;
    try {
      const all = await get<Comment[]>(`/issues/${this.id}/comments?order=asc`, this.abort.signal);
      this.comments.value = merge(all, this.comments.peek() ?? []);
    } catch {
      // The next comment's frame looks again.
    } finally {
      this.lookingForComments = false;
    }
  }
}

function merge(old: Comment[], fresh: Comment[]): Comment[] {
  const byId = new Map(old.map((comment) => [comment.id, comment]));
  for (const comment of fresh) byId.set(comment.id, comment);
  return [...byId.values()].sort((a, b) => a.createdAt.localeCompare(b.createdAt));
}
