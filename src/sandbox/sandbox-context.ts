import type { SandboxDatabase } from './sandbox-database.ts';

/** What the sandbox's functions work on. */
export interface SandboxContext {
  readonly db: SandboxDatabase;
  /** How long a withdrawal may be reversed, milliseconds. */
  readonly confirmationWindowMs: number;
  /** Whether status changes are announced by webhook. */
  readonly notifies: boolean;
}
