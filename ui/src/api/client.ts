// The board's only door to the server: plain fetch with a deadline, an error
// that carries the server's own words, and a bounded retry for reads.

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code: string | null,
  ) {
    super(message);
  }
}

const DEADLINE_MS = 20_000;
const READ_ATTEMPTS_MAX = 3;

/** Server clock minus ours. Elapsed times are counted on the server's clock. */
let skewMs = 0;

export function serverNow(): number {
  return Date.now() + skewMs;
}

function learnClock(response: Response): void {
  const stated = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(stated)) return;
  // The header has whole seconds; only a real difference is worth a correction.
  const difference = stated + 500 - Date.now();
  skewMs = Math.abs(difference) > 2_000 ? difference : 0;
}

async function readError(response: Response): Promise<ApiError> {
  let message = `${response.status} ${response.statusText}`;
  let code: string | null = null;
  try {
    const body = (await response.json()) as { error?: string; code?: string };
    message = body.error ?? message;
    code = body.code ?? null;
  } catch {
    // Not JSON (a proxy, perhaps): the status line has to do.
  }
  return new ApiError(response.status, message, code);
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** GET `path` below /api. Network failures and 5xx are tried again; 4xx are final. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const deadline = AbortSignal.timeout(DEADLINE_MS);
      const response = await fetch(`/api${path}`, {
        headers: { accept: 'application/json' },
        signal: signal ? anySignal(signal, deadline) : deadline,
      });
      learnClock(response);
      if (response.ok) return (await response.json()) as T;
      const error = await readError(response);
      if (response.status < 500 || attempt === READ_ATTEMPTS_MAX) throw error;
    } catch (error) {
      if (signal?.aborted || attempt === READ_ATTEMPTS_MAX) throw error;
      if (error instanceof ApiError && error.status < 500) throw error;
    }
    await pause(300 * 3 ** (attempt - 1), signal);
  }
}

function anySignal(a: AbortSignal, b: AbortSignal): AbortSignal {
  const controller = new AbortController();
  for (const signal of [a, b]) {
    if (signal.aborted) controller.abort(signal.reason);
    else signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
  }
  return controller.signal;
}
