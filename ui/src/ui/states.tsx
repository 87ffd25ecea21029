// What a part shows when it has nothing to show yet, or ever, or could not (UI-95…97).
import type { ComponentChildren } from 'preact';

/** Rows of the coming geometry; CSS keeps them invisible for the first 150 ms. */
export function Skeleton({ rows }: { rows: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="visually-hidden">Loading</span>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} aria-hidden="true" />
      ))}
    </div>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="empty">{children}</div>;
}

export function ErrorBox({ message, onRetry }: { message: string; onRetry: () => void }) {
  return (
    <div class="error-box" role="alert">
      <p>{message}</p>
      <button type="button" class="button" onClick={onRetry}>
        Retry
      </button>
    </div>
  );
}
