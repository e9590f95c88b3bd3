import type { SandboxDatabase } from './sandbox-database.ts';
import type { WebhookTargetName } from './webhook-queue.ts';

/** What the sandbox's functions work on. */
export interface SandboxContext {
  readonly db: SandboxDatabase;
  /** How long a withdrawal may be reversed, milliseconds. */
  readonly confirmationWindowMs: number;
  /** Which receivers status changes are announced to by webhook. */
  readonly notifies: Readonly<Record<WebhookTargetName, boolean>>;
}
