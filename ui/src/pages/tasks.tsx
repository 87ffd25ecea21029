// The company's issues as one tree (the board says “task”, addresses say issue).
// The tree itself holds the focus and names the active row, so rows can come and
// go under it; only the rows in sight exist.
import { useRef, useState } from 'preact/hooks';
import { activeTask, moveTask } from '../store/cursor';
import { issueHref, navigate, route } from '../store/route';
import { type TreeRow, agents, folded, isOver, issues, liveIssues, setFolded, tree, waitsFor } from '../store/tables';
import { Avatar } from '../ui/avatar';
import { Icon } from '../ui/icon';
import { Empty } from '../ui/states';
import { IssueStatusIcon, LivePill } from '../ui/status';
import { Ago } from '../ui/time';
import { VirtualList } from '../ui/virtual';

const ROW_PX = 36;

export function Tasks() {
  const rows = tree.value;
  return (
    <section id="tasks" class="tasks scroll" aria-labelledby="tasks-title">
      <h2 id="tasks-title">
        Tasks <span class="faint num">{rows.length > 0 && rows.length}</span>
      </h2>
      {rows.length === 0 ? (
        <Empty>
          No tasks yet. Give the company something to do with <code>bulldog issue create</code>.
        </Empty>
      ) : (
        <Tree rows={rows} />
      )}
    </section>
  );
}

function Tree({ rows }: { rows: TreeRow[] }) {
  const element = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState(false);
  const active = rows.findIndex((row) => row.issue.id === activeTask.value);

  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (handleTreeKey(event.key, rows, active)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };

  return (
    <div
      ref={element}
      role="tree"
      aria-labelledby="tasks-title"
      aria-activedescendant={active >= 0 ? rowId(rows[active]!) : undefined}
      tabIndex={0}
      class="tree"
      onKeyDown={onKey}
      onFocus={() => {
        setFocused(true);
        if (active < 0) activeTask.value = rows[0]?.issue.id ?? null;
      }}
      onBlur={() => setFocused(false)}
    >
      <VirtualList
        count={rows.length}
        rowPx={ROW_PX}
        active={focused ? active : -1}
        row={(index) => <Row key={rows[index]!.issue.id} row={rows[index]!} index={index} active={index === active} />}
      />
    </div>
  );
}

function rowId(row: TreeRow): string {
  return `task-${row.issue.id}`;
}

function handleTreeKey(key: string, rows: TreeRow[], at: number): boolean {
  const row = rows[at];
  switch (key) {
    case 'ArrowDown':
      return moveTask(1);
    case 'ArrowUp':
      return moveTask(-1);
    case 'Home':
    case 'End':
      activeTask.value = rows.at(key === 'Home' ? 0 : -1)?.issue.id ?? null;
      return true;
    case 'Enter':
    case ' ':
      if (row) navigate(issueHref(row.issue));
      return true;
    case 'ArrowRight':
      if (row?.children && folded.peek().has(row.issue.id)) setFolded(row.issue.id, false);
      else if (row?.children) moveTask(1);
      return true;
    case 'ArrowLeft':
      if (row?.children && !folded.peek().has(row.issue.id)) setFolded(row.issue.id, true);
      else if (row?.issue.parentId) activeTask.value = row.issue.parentId;
      return true;
    default:
      return false;
  }
}

function Row({ row, index, active }: { row: TreeRow; index: number; active: boolean }) {
  const { id } = row.issue;
  const issue = issues.get(id) ?? row.issue;
  const assignee = agents.get(issue.assigneeAgentId);
  const closed = folded.value.has(id);
  const { panel } = route.value;
  const open = panel?.kind === 'issue' && (panel.key === issue.identifier || panel.key === id);
  const over = isOver(issue.status);
  return (
    <div
      id={rowId(row)}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-expanded={row.children > 0 ? !closed : undefined}
      aria-selected={open}
      class={`task ${active ? 'active' : ''} ${open ? 'open' : ''} ${over ? 'over' : ''}`}
      style={{ top: `${index * ROW_PX}px`, height: `${ROW_PX}px`, '--depth': row.depth }}
      onClick={() => {
        activeTask.value = id;
        navigate(issueHref(issue));
      }}
    >
      <span
        class={`twisty ${row.children ? (closed ? 'closed' : 'opened') : ''}`}
        aria-hidden="true"
        onClick={(event) => {
          if (!row.children) return;
          event.stopPropagation();
          setFolded(id, !closed);
        }}
      >
        {row.children > 0 && <Icon name="chevron" />}
      </span>
      <IssueStatusIcon status={issue.status} covered={issue.blockerAttention?.state === 'covered'} />
      <span class="mono identifier">{issue.identifier}</span>
      {liveIssues.value.has(id) && <LivePill />}
      <span class="title">{issue.title}</span>
      <Waits issue={issue} />
      {assignee && (
        <span class="assignee">
          <Avatar id={assignee.id} name={assignee.name} />
          <span>{assignee.name}</span>
        </span>
      )}
      <span class="when faint">
        <Ago at={issue.updatedAt} />
      </span>
    </div>
  );
}

/** What an unfinished task waits for, by identifier. */
function Waits({ issue }: { issue: TreeRow['issue'] }) {
  const open = waitsFor(issue);
  if (open.length === 0) return null;
  return (
    <span class="waits">
      <Icon name="wait" />
      after {open[0]}
      {open.length > 1 && ` +${open.length - 1}`}
    </span>
  );
}
