import type { ReintegroClient } from '../client/reintegro-client.ts';
import type { Records } from './records.ts';

/** What the routes of every face work with. */
export interface ApiContext {
  readonly records: Records;
  readonly client: ReintegroClient;
  /** How long a request waits for its outcome, milliseconds (R10). */
  readonly syncWaitMs: number;
}
