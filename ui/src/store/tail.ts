// The live log of one run: read once over HTTP, then fed by log frames. Frames
// are not replayed after a break and may be cut or dropped under load, so every
// chunk's number is checked and a hole is filled from the file.
import { effect, signal } from '@preact/signals';
import { ApiError, get } from '../api/client';
import type { Frame, LogPage } from '../api/types';
import { listen } from './frames';
import { LineBuilder, type LogChunk, type LogLine, parseChunks } from './log';
import { isLive } from './runs';
import { link, runs } from './tables';

const PAGE_BYTES = 256_000;
/** Of a longer log only this much of the end is read. */
const WINDOW_BYTES = 1_000_000;

type LoudChunk = LogChunk & { runId: string; truncated?: boolean };

export class Tail {
  readonly lines = signal<readonly LogLine[]>([]);
  readonly state = signal<'loading' | 'ready' | 'none'>('loading');
  readonly failure = signal<string | null>(null);
  /** True when the log's beginning is left out. */
  readonly cut = signal(false);

  private readonly builder = new LineBuilder();
  private readonly abort = new AbortController();
  private readonly stop: (() => void)[];
  private offset = 0; // of the file, up to where we read over HTTP
  private lastSeq = 0;
  private heard: LoudChunk[] = [];
  private reading = false;
  private again = false;
  private drawing = false;

  constructor(private readonly runId: string) {
    const size = runs.peek(runId)?.logBytes ?? 0;
    if (size > WINDOW_BYTES) {
      this.offset = size - WINDOW_BYTES;
      this.cut.value = true;
    }
    this.stop = [listen((frame) => this.hear(frame)), this.readAfterBreaks(), this.readAtTheEnd()];
    void this.read();
  }

  close(): void {
    for (const stop of this.stop) stop();
    this.abort.abort();
  }

  private readAfterBreaks(): () => void {
    let lost = false;
    return effect(() => {
      if (link.value === 'lost') lost = true;
      else if (link.value === 'open' && lost) {
        lost = false;
        void this.read();
      }
    });
  }

  /** The end of a run is the last word: read what frames may have left out. */
  private readAtTheEnd(): () => void {
    let live: boolean | null = null;
    return effect(() => {
      const run = runs.get(this.runId);
      const isNow = run ? isLive(run.status) : false;
      if (live && !isNow) void this.read();
      live = isNow;
    });
  }

  private hear(frame: Frame): void {
    if (frame.type !== 'heartbeat.run.log') return;
    const said = frame.payload as unknown as LoudChunk;
    if (said.runId !== this.runId) return;
    this.heard.push(said);
    if (!this.reading) this.catchUp();
  }

  /** Takes what was heard as far as it joins on; gives false at a hole. */
  private takeHeard(): boolean {
    const heard = this.heard.splice(0);
    const fresh = heard.filter((said) => said.seq > this.lastSeq);
    const whole = fresh.every((said, n) => !said.truncated && said.seq === this.lastSeq + 1 + n);
    if (whole) this.take(fresh);
    return whole;
  }

  private catchUp(): void {
    if (!this.takeHeard()) void this.read();
  }

  /** Reads from where we are to the end of the file; what is heard meanwhile comes after. */
  private async read(): Promise<void> {
    if (this.reading) {
      this.again = true;
      return;
    }
    this.reading = true;
    try {
      do {
        this.again = false;
        await this.readPages();
      } while (!this.takeHeard() || this.again);
      this.state.value = 'ready';
      this.failure.value = null;
    } catch (error) {
      if (this.abort.signal.aborted) return;
      if (error instanceof ApiError && error.status === 404) this.state.value = 'none';
      else this.failure.value = error instanceof Error ? error.message : String(error);
    } finally {
      this.reading = false;
    }
  }

  private async readPages(): Promise<void> {
    for (;;) {
      const path = `/heartbeat-runs/${this.runId}/log?offset=${this.offset}&limitBytes=${PAGE_BYTES}`;
      const page = await get<LogPage>(path, this.abort.signal);
      // Only whole lines count; the rest is read again with what follows it.
      const whole = page.content.slice(0, page.content.lastIndexOf('\n') + 1);
      this.take(parseChunks(whole));
      const bytes = new TextEncoder().encode(whole).length;
      this.offset += bytes;
      if (page.nextOffset === undefined || bytes === 0) return;
    }
  }

  private take(chunks: LogChunk[]): void {
    for (const chunk of chunks) {
      if (chunk.seq <= this.lastSeq) continue;
      this.lastSeq = chunk.seq;
      this.builder.add(chunk);
    }
    this.draw();
  }

  /** At most once a frame, however fast the output is. */
  private draw(): void {
    if (this.drawing) return;
    this.drawing = true;
    setTimeout(() => {
      this.drawing = false;
      this.lines.value = this.builder.lines.slice();
    }, 32);
  }
}
