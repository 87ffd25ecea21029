// The first thing a newcomer sees: no company yet, and what to do about it.
export function Welcome() {
  const origin = location.origin;
  const port = location.port || (location.protocol === 'https:' ? '443' : '80');
  const command = port === '3100' ? 'bulldog demo' : `bulldog demo --api-url ${origin}`;
  return (
    <main id="main" tabIndex={-1} class="plain welcome">
      <h1>No company yet</h1>
      <p>
        A company is a team of agents with work to do. The quickest way to see one at work: leave this page open and
        type in a terminal, inside any git repository,
      </p>
      <pre tabIndex={0}>
        <code>{command}</code>
      </pre>
      <p>
        It hires a CEO and two engineers and gives them a real job. This page will show who is awake, on what, and why.
      </p>
      <p>To start your own instead:</p>
      <pre tabIndex={0}>
        <code>bulldog company create "My company"</code>
      </pre>
    </main>
  );
}
