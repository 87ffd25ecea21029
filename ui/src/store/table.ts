// Entities by id, each in its own signal: a frame that changes one row redraws
// what shows that row and nothing else. `shape` moves only when rows come or go
// or one of the `structural` fields changes, so orders and counts are derived
// from it and not from every keystroke of every row.
import { type Signal, signal } from '@preact/signals';

export class Table<T extends { id: string }> {
  private readonly rows = new Map<string, Signal<T>>();
  private readonly shape = signal(0);

  constructor(private readonly structural: readonly (keyof T)[]) {}

  /** Subscribes to this row, or to its arrival. */
  get(id: string | null | undefined): T | undefined {
    if (!id) return undefined;
    const row = this.rows.get(id);
    if (row) return row.value;
    void this.shape.value;
    return undefined;
  }

  peek(id: string): T | undefined {
    return this.rows.get(id)?.peek();
  }

  /** All rows; subscribes to the table's shape only. */
  all(): T[] {
    void this.shape.value;
    return [...this.rows.values()].map((row) => row.peek());
  }

  put(row: T): void {
    const known = this.rows.get(row.id);
    if (!known) {
      this.rows.set(row.id, signal(row));
      this.shape.value++;
      return;
    }
    const before = known.peek();
    known.value = { ...before, ...row };
    if (this.structural.some((field) => before[field] !== known.peek()[field])) this.shape.value++;
  }

  /** False when there is no such row. */
  patch(id: string, change: Partial<T>): boolean {
    const known = this.rows.get(id);
    if (!known) return false;
    this.put({ ...known.peek(), ...change });
    return true;
  }

  remove(id: string): void {
    if (this.rows.delete(id)) this.shape.value++;
  }

  replace(rows: T[]): void {
    const keep = new Set(rows.map((row) => row.id));
    for (const id of [...this.rows.keys()]) if (!keep.has(id)) this.rows.delete(id);
    for (const row of rows) this.put(row);
    this.shape.value++;
  }
}
