// cli: runs the command against a test server, as a person or an agent would.

import { spawn } from 'node:child_process';

import { BIN } from './harness.mjs';

/** Runs `bulldog ARGS…` to its end. Gives {code, out, err, json()}. */
export function bulldog(s, args, { env = {}, input, cwd, onOutput } = {}) {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PAPERCLIP|BULLDOG)_/.test(name)));
  const child = spawn(BIN, args, { cwd, env: { ...clean, ...(s ? { BULLDOG_API_URL: s.url } : {}), NO_COLOR: '1', ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const result = { code: null, out: '', err: '', json: () => JSON.parse(result.out) };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    result.out += text;
    onOutput?.(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    result.err += text;
  });
  child.stdin.on('error', () => {}); // a command that does not read may be gone already
  child.stdin.end(input ?? '');
  const done = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      result.code = signal ?? code;
      resolve(result);
    });
  });
  return Object.assign(done, { child });
}
