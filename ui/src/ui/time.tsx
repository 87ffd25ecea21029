// Times that tell themselves: they subscribe to the clock only while they move.
import { agoWords, clockWords, durationWords, now } from '../store/clock';

/** Ticks while `until` is open, then says the duration. */
export function Elapsed({ since, until }: { since: string | null; until: string | null }) {
  if (!since) return null;
  const start = Date.parse(since);
  if (until) return <span class="num">{durationWords(Date.parse(until) - start)}</span>;
  return <span class="num">{clockWords(now.value - start)}</span>;
}

export function Ago({ at }: { at: string }) {
  const when = Date.parse(at);
  return (
    <time class="num" dateTime={at} title={new Date(when).toLocaleString()}>
      {agoWords(Math.max(0, now.value - when))}
    </time>
  );
}
