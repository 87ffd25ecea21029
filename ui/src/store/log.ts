// A run's log as lines. The file is NDJSON of chunks (AR-71); a chunk may hold
// several lines or part of one, so pieces of one stream are joined until a line
// feed ends them.

export interface LogLine {
  seq: number; // of the chunk that began it
  ts: string;
  stream: string;
  text: string;
}

export interface LogChunk {
  ts: string;
  stream: string;
  chunk: string;
  seq: number;
}

// Colour and cursor sequences of terminals, and the carriage returns of progress bars.
const TERMINAL = /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-_]/g;

export function plain(text: string): string {
  const clean = text.replace(TERMINAL, '').replace(/\r+$/, '');
  const overwritten = clean.lastIndexOf('\r');
  return overwritten < 0 ? clean : clean.slice(overwritten + 1);
}

/** Parses whole NDJSON lines; a first or last piece cut by the offset is skipped. */
export function parseChunks(content: string): LogChunk[] {
  const chunks: LogChunk[] = [];
  for (const line of content.split('\n')) {
    if (!line.startsWith('{') || !line.endsWith('}')) continue;
    try {
      chunks.push(JSON.parse(line) as LogChunk);
    } catch {
      // A piece that only looked whole.
    }
  }
  return chunks;
}

/** Makes lines of chunks as they come. */
export class LineBuilder {
  readonly lines: LogLine[] = [];
  /** The unfinished line of each stream: where it stands and what came so far. */
  private readonly open = new Map<string, { at: number; raw: string }>();

  add(chunk: LogChunk): void {
    const parts = chunk.chunk.split('\n');
    const tail = parts.pop() ?? '';
    for (const part of parts) this.write(chunk, part, false);
    if (tail !== '') this.write(chunk, tail, true);
  }

  private write(chunk: LogChunk, text: string, open: boolean): void {
    const begun = this.open.get(chunk.stream);
    const raw = (begun?.raw ?? '') + text;
    const line = { seq: chunk.seq, ts: chunk.ts, stream: chunk.stream, text: plain(raw) };
    const at = begun?.at ?? this.lines.length;
    this.lines[at] = line;
    if (open) this.open.set(chunk.stream, { at, raw });
    else this.open.delete(chunk.stream);
  }
}

/** The non-empty lines of NDJSON content, as text. */
export function textLines(content: string): string[] {
  const builder = new LineBuilder();
  for (const chunk of parseChunks(content)) builder.add(chunk);
  return builder.lines.map((line) => line.text).filter((text) => text.trim() !== '');
}
