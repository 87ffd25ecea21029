// One task: what it is, what it waits for, its parts, its runs, what was said.
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { Comment, Issue, IssueRef } from '../api/types';
import { issueHref } from '../store/route';
import { humanise } from '../store/runs';
import { agents, issues, liveIssues, projects, runs, subtasks } from '../store/tables';
import { Thread } from '../store/thread';
import { Avatar } from '../ui/avatar';
import { Markdown } from '../ui/markdown';
import { Panel } from '../ui/panel';
import { ErrorBox, Skeleton } from '../ui/states';
import { IssueStatusIcon, LivePill, issueStatusWords } from '../ui/status';
import { Ago } from '../ui/time';
import { RunRow } from './runs';

export function IssuePanel({ issueKey }: { issueKey: string }) {
  const thread = useMemo(() => new Thread(issueKey), [issueKey]);
  useEffect(() => () => thread.close(), [thread]);

  const detail = thread.detail.value;
  const row = issues.all().find((one) => one.identifier === issueKey || one.id === issueKey);
  const issue = issues.get(row?.id) ?? detail;
  return (
    <Panel
      label={`Task ${issue?.identifier ?? issueKey}`}
      head={
        <>
          {issue && <IssueStatusIcon status={issue.status} covered={issue.blockerAttention?.state === 'covered'} />}
          <span class="mono faint">{issue?.identifier ?? issueKey}</span>
          {issue && liveIssues.value.has(issue.id) && <LivePill />}
        </>
      }
      title={issue?.title ?? 'Task'}
    >
      {thread.failure.value && <ErrorBox message={thread.failure.value} onRetry={() => void thread.load()} />}
      {issue && (
        <>
          <Facts issue={issue} detail={detail} />
          <Description text={detail?.description ?? issue.description} />
          <Subtasks id={issue.id} />
          <IssueRuns id={issue.id} />
        </>
      )}
      <Comments list={thread.comments.value} failed={thread.failure.value !== null} />
    </Panel>
  );
}

function Facts({ issue, detail }: { issue: Issue; detail: Issue | null }) {
  const assignee = agents.get(issue.assigneeAgentId);
  const project = projects.get(issue.projectId);
  const parent = issues.get(issue.parentId);
  const blockedBy = issue.blockedBy ?? detail?.blockedBy ?? [];
  const blocks = issue.blocks ?? detail?.blocks ?? [];
  return (
    <dl class="facts">
      <Fact name="Status">{issueStatusWords(issue.status)}</Fact>
      <Fact name="Assignee">
        {assignee ? (
          <span class="assignee">
            <Avatar id={assignee.id} name={assignee.name} />
            {assignee.name}
          </span>
        ) : issue.assigneeUserId ? (
          'Board'
        ) : (
          <span class="faint">Nobody</span>
        )}
      </Fact>
      <Fact name="Priority">{humanise(issue.priority)}</Fact>
      {project && <Fact name="Project">{project.name}</Fact>}
      {parent && (
        <Fact name="Part of">
          <TaskLink task={parent} />
        </Fact>
      )}
      {blockedBy.length > 0 && (
        <Fact name="Blocked by">
          <TaskLinks tasks={blockedBy} />
        </Fact>
      )}
      {blocks.length > 0 && (
        <Fact name="Blocks">
          <TaskLinks tasks={blocks} />
        </Fact>
      )}
      <Fact name="Created">
        <Ago at={issue.createdAt} />
      </Fact>
      <Fact name="Updated">
        <Ago at={issue.updatedAt} />
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function TaskLinks({ tasks }: { tasks: IssueRef[] }) {
  return (
    <span class="stack">
      {tasks.map((task) => (
        <TaskLink key={task.id} task={task} />
      ))}
    </span>
  );
}

function TaskLink({ task }: { task: IssueRef }) {
  const row = issues.get(task.id) ?? task;
  return (
    <a class="task-link" href={issueHref(row)}>
      <IssueStatusIcon status={row.status} />
      <span class="mono">{row.identifier}</span> <span class="title">{row.title}</span>
    </a>
  );
}

function Description({ text }: { text: string | null }) {
  const markdown = useMemo(() => (text ? <Markdown text={text} /> : null), [text]);
  if (!markdown) return null;
  return (
    <section class="description" aria-labelledby="description-title">
      <h3 id="description-title" class="visually-hidden">
        Description
      </h3>
      {markdown}
    </section>
  );
}

function Subtasks({ id }: { id: string }) {
  const children = subtasks(id);
  if (children.length === 0) return null;
  const done = children.filter((child) => child.status === 'done').length;
  return (
    <section aria-labelledby="subtasks-title">
      <h3 id="subtasks-title">
        Sub-tasks{' '}
        <span class="faint num">
          {done} of {children.length} done
        </span>
      </h3>
      <span class="stack">
        {children.map((child) => (
          <TaskLink key={child.id} task={child} />
        ))}
      </span>
    </section>
  );
}

function IssueRuns({ id }: { id: string }) {
  const list = runs.all().filter((run) => run.issueId === id);
  if (list.length === 0) return null;
  list.sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  return (
    <section aria-labelledby="issue-runs-title">
      <h3 id="issue-runs-title">Runs</h3>
      <ul class="runs-in">
        {list.map((run) => (
          <li key={run.id}>
            <RunRow id={run.id} showTask={false} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Comments({ list, failed }: { list: Comment[] | null; failed: boolean }) {
  return (
    <section aria-labelledby="comments-title">
      <h3 id="comments-title">Comments</h3>
      {!list && !failed && <Skeleton rows={2} />}
      {list?.length === 0 && <p class="faint">Nothing said yet.</p>}
      <div role="log" aria-label="Comments">
        {list?.map((comment) => <CommentItem key={comment.id} comment={comment} />)}
      </div>
    </section>
  );
}

function CommentItem({ comment }: { comment: Comment }) {
  const agent = agents.get(comment.authorAgentId);
  const name = agent?.name ?? (comment.authorAgentId ? 'Agent' : comment.authorType === 'system' ? 'System' : 'Board');
  const body = useMemo(() => <Markdown text={comment.body} />, [comment.body]);
  return (
    <article class="comment" aria-label={`Comment by ${name}`}>
      <header>
        <Avatar id={agent?.id ?? name} name={name} />
        <span class="name">{name}</span>
        <span class="faint">
          <Ago at={comment.createdAt} />
        </span>
      </header>
      {comment.deletedAt ? <p class="faint">This comment was deleted.</p> : body}
    </article>
  );
}
