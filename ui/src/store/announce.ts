// What a screen reader is told as things happen (UI-121): short sentences in a
// polite live region, at most a few at a time so that a busy company does not
// talk without end.
import { signal } from '@preact/signals';

const SENTENCES_MAX = 3;
const GATHER_MS = 700;

export const announcement = signal('');

let waiting: string[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

export function announce(sentence: string): void {
  waiting.push(sentence);
  timer ??= setTimeout(() => {
    const extra = waiting.length - SENTENCES_MAX;
    const said = waiting.slice(0, SENTENCES_MAX).join(' ');
    announcement.value = extra > 0 ? `${said} And ${extra} more changes.` : said;
    waiting = [];
    timer = undefined;
  }, GATHER_MS);
}
