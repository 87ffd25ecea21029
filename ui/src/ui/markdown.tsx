// Markdown as agents write it: headings, lists, quotes, code, tables, emphasis,
// links. Built as elements, never as HTML text, so nothing in it can be markup
// (UI-143). Links go to http(s), mailto and our own pages only; identifiers of
// known tasks become links.
import type { ComponentChildren } from 'preact';
import { issueHref } from '../store/route';
import { issues } from '../store/tables';

export function Markdown({ text }: { text: string }) {
  return <div class="markdown">{blocks(text.replace(/\r\n?/g, '\n').split('\n'))}</div>;
}

const LIST_ITEM = /^(\s*)(?:[-*+]|(\d+)[.)])\s+(.*)$/;
const FENCE = /^\s*(```+|~~~+)/;

function startsBlock(line: string): boolean {
  return FENCE.test(line) || /^#{1,6}\s/.test(line) || /^\s*>/.test(line) || LIST_ITEM.test(line);
}

function blocks(lines: string[]): ComponentChildren[] {
  const out: ComponentChildren[] = [];
  let i = 0;
  const takeWhile = (test: (line: string) => boolean): string[] => {
    const from = i;
    while (i < lines.length && test(lines[i]!)) i++;
    return lines.slice(from, i);
  };
  while (i < lines.length) {
    const line = lines[i]!;
    const key = out.length;
    const fence = FENCE.exec(line)?.[1];
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
    if (line.trim() === '') {
      i++;
    } else if (fence) {
      i++;
      const code = takeWhile((next) => !next.trim().startsWith(fence));
      i++;
      out.push(
        <pre key={key} tabIndex={0}>
          <code>{code.join('\n')}</code>
        </pre>,
      );
    } else if (heading) {
      i++;
      out.push(
        <p key={key} class={`h h${heading[1]!.length}`} role="heading" aria-level={Math.min(6, heading[1]!.length + 3)}>
          {inline(heading[2]!)}
        </p>,
      );
    } else if (/^\s*(?:-{3,}|\*{3,}|_{3,})\s*$/.test(line)) {
      i++;
      out.push(<hr key={key} />);
    } else if (/^\s*>/.test(line)) {
      const quoted = takeWhile((next) => /^\s*>/.test(next)).map((next) => next.replace(/^\s*> ?/, ''));
      out.push(<blockquote key={key}>{blocks(quoted)}</blockquote>);
    } else if (LIST_ITEM.test(line)) {
      const items = takeWhile((next) => LIST_ITEM.test(next) || /^\s{2,}\S/.test(next));
      out.push(<List key={key} lines={items} />);
    } else if (line.includes('|') && /^\s*\|?[\s:|-]+\|[\s:|-]*$/.test(lines[i + 1] ?? '')) {
      out.push(<Table key={key} lines={takeWhile((next) => next.includes('|'))} />);
    } else {
      i++; // at least this line, whatever it looks like
      const more = takeWhile((next) => next.trim() !== '' && !startsBlock(next));
      out.push(<p key={key}>{inline([line, ...more].join('\n'))}</p>);
    }
  }
  return out;
}

function List({ lines }: { lines: string[] }) {
  const first = LIST_ITEM.exec(lines[0]!)!;
  const indent = first[1]!.length;
  const items: string[][] = [];
  for (const line of lines) {
    const item = LIST_ITEM.exec(line);
    if (item && item[1]!.length <= indent) items.push([item[3]!]);
    else items[items.length - 1]?.push(line.replace(new RegExp(`^\\s{0,${indent + 2}}`), ''));
  }
  const entries = items.map(([head, ...rest], n) => (
    <li key={n}>
      {inline(head!)}
      {rest.length > 0 && blocks(rest)}
    </li>
  ));
  return first[2] ? <ol start={Number(first[2])}>{entries}</ol> : <ul>{entries}</ul>;
}

function Table({ lines }: { lines: string[] }) {
  const cells = (line: string): string[] =>
    line
      .trim()
      .replace(/^\||\|$/g, '')
      .split('|')
      .map((cell) => cell.trim());
  const [head, , ...body] = lines;
  return (
    <div class="table" tabIndex={0} role="group" aria-label="Table">
      <table>
        <thead>
          <tr>{cells(head!).map((cell, n) => <th key={n}>{inline(cell)}</th>)}</tr>
        </thead>
        <tbody>
          {body.map((line, y) => (
            <tr key={y}>{cells(line).map((cell, n) => <td key={n}>{inline(cell)}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// One alternative per kind, the first that matches leftmost wins.
const INLINE =
  /(`+)(.+?)\1|\*\*(.+?)\*\*|__(.+?)__|\*([^*\s](?:[^*]*[^*\s])?)\*|(?<![\w])_([^_\s](?:[^_]*[^_\s])?)_(?![\w])|\[([^\]]+)\]\(((?:[^()\s]|\([^()\s]*\))+)\)|(https?:\/\/[^\s<>()]+[^\s<>().,;:!?'"])|\b([A-Z][A-Z0-9]*-\d+)\b/s;

export function inline(text: string): ComponentChildren[] {
  const out: ComponentChildren[] = [];
  let rest = text;
  for (;;) {
    const found = INLINE.exec(rest);
    if (!found) break;
    if (found.index > 0) out.push(rest.slice(0, found.index));
    out.push(piece(found, out.length));
    rest = rest.slice(found.index + found[0].length);
  }
  if (rest) out.push(rest);
  return out;
}

function piece(found: RegExpExecArray, key: number): ComponentChildren {
  const [all, , code, bold, bold2, italic, italic2, label, href, url, identifier] = found;
  if (code !== undefined) return <code key={key}>{code}</code>;
  if (bold ?? bold2) return <strong key={key}>{inline((bold ?? bold2)!)}</strong>;
  if (italic ?? italic2) return <em key={key}>{inline((italic ?? italic2)!)}</em>;
  if (label && href) return <Link key={key} href={href}>{inline(label)}</Link>;
  if (url) return <Link key={key} href={url}>{url}</Link>;
  if (identifier) {
    const issue = issues.all().find((one) => one.identifier === identifier);
    if (issue) return <a key={key} href={issueHref(issue)} title={issue.title}>{identifier}</a>;
  }
  return all;
}

function Link({ href, children }: { href: string; children: ComponentChildren }) {
  if (/^agent:\/\//.test(href)) return <span class="mention">{children}</span>;
  if (!/^(https?:\/\/|mailto:|\/(?!\/))/i.test(href)) return <>{children}</>;
  const ours = href.startsWith('/');
  return ours ? <a href={href}>{children}</a> : <a href={href} target="_blank" rel="noopener noreferrer">{children}</a>;
}
