import { setTimeout as delay } from 'node:timers/promises';
import { isFinalRefundStatus } from '../../src/domain/refund-status.ts';
import type { RefundStatus } from '../../src/domain/refund-status.ts';
import type { Database } from '../../src/store/database.ts';

/** How long a refund is watched before it is taken not to come to the stop, milliseconds. */
const PATIENCE_MS = 60_000;
const POLL_MS = 250;

/** Waits until a refund comes to a stop, and says when it did, milliseconds since 1970; now, when it does not come there. */
export type StopWatch = (refundId: string, stop: RefundStatus) => Promise<number>;

/** Makes it from the records: a race that begins before both sides can win is none. */
export function watchStops(db: Database): StopWatch {
  return async (refundId, stop) => {
    for (const giveUpAt = Date.now() + PATIENCE_MS; Date.now() < giveUpAt;) {
      // Without the database nothing is known, and nothing comes to a stop.
      const steps = await db.selectFrom('transitions').select(['to_status', 'at']).where('subject_id', '=', refundId).execute().catch(() => []);
      const arrival = steps.find((step) => step.to_status === stop);
      if (arrival !== undefined) return arrival.at.getTime();
      if (steps.some((step) => isFinalRefundStatus(step.to_status as RefundStatus))) break;
      await delay(POLL_MS);
    }
    return Date.now();
  };
}
