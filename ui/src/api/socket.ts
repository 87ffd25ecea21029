// One WebSocket for one company (UI-100, UI-103): after every break it asks for
// what came after the last frame it saw, so nothing is missed and nothing is
// fetched twice. Waiting between attempts grows from 0.5 s to 30 s with jitter.
import type { Frame } from './types';

export type LinkState = 'connecting' | 'open' | 'lost';

export interface SocketEvents {
  frame(frame: Frame): void;
  state(state: LinkState): void;
  /** The server cannot replay from where we are: load afresh. Gives the id to go on from. */
  reset(): Promise<number>;
}

const WAIT_FIRST_MS = 500;
const WAIT_MAX_MS = 30_000;
/** After so many failed attempts in a row, ask by plain HTTP whether the company is still there. */
const PROBE_EVERY = 5;

export class EventSocket {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private closed = false;
  private restarting = false;

  constructor(
    private readonly companyId: string,
    private lastId: number,
    private readonly events: SocketEvents,
  ) {
    addEventListener('online', this.retryNow);
    document.addEventListener('visibilitychange', this.retryNow);
    this.connect();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    removeEventListener('online', this.retryNow);
    document.removeEventListener('visibilitychange', this.retryNow);
    this.socket?.close();
  }

  private connect(): void {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const path = `/api/companies/${this.companyId}/events/ws?since=${this.lastId}`;
    const socket = new WebSocket(`${scheme}//${location.host}${path}`);
    this.socket = socket;
    socket.onopen = () => {
      this.failures = 0;
      this.events.state('open');
    };
    socket.onmessage = (message: MessageEvent<string>) => {
      if (this.socket === socket) this.receive(JSON.parse(message.data) as Frame);
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lost();
    };
  }

  private receive(frame: Frame): void {
    if (frame.type === 'reset') {
      void this.startOver();
      return;
    }
    // Log and progress frames repeat the id of the last durable event, so only
    // the greatest id is remembered; a durable frame is never shown twice.
    const ephemeral = frame.type === 'heartbeat.run.log' || frame.type === 'heartbeat.run.progress';
    if (!ephemeral && frame.id <= this.lastId) return;
    this.lastId = Math.max(this.lastId, frame.id);
    this.events.frame(frame);
  }

  private lost(): void {
    this.socket = null;
    if (this.closed) return;
    this.events.state('lost');
    this.failures++;
    const ceiling = Math.min(WAIT_MAX_MS, WAIT_FIRST_MS * 2 ** (this.failures - 1));
    const wait = ceiling * (0.5 + Math.random() / 2);
    this.timer = setTimeout(() => {
      if (this.failures % PROBE_EVERY === 0) void this.startOver();
      else this.connect();
    }, wait);
  }

  private readonly retryNow = (): void => {
    if (this.closed || this.restarting || this.socket || document.hidden) return;
    clearTimeout(this.timer);
    this.connect();
  };

  private async startOver(): Promise<void> {
    const old = this.socket;
    this.socket = null;
    this.restarting = true;
    old?.close();
    try {
      this.lastId = await this.events.reset();
      if (!this.closed) this.connect();
    } catch {
      this.lost();
    } finally {
      this.restarting = false;
    }
  }
}
