/** The steps at which a worker can be killed (RELIABILITY, faults), by name, with the provider's fault that leads there. */
export const FAILPOINTS = {
  /** Nothing of the request is on record. */
  before_reserve: { fault: null },
  /** The amount is held, or the payout order registered; nothing was sent. */
  after_reserve: { fault: null },
  /** `sending` is committed; the provider was not called. */
  before_send: { fault: null },
  /** The provider executes it, and the answer never comes. */
  between_send_and_answer: { fault: 'timeout' },
  /** The answer was lost, and the Workflow's timer runs. */
  in_settle_delay: { fault: 'error_after' },
  /** The answer is there, and the transaction that books it is open. */
  before_settle_commit: { fault: null },
  /** It is booked, and the Workflow does not know. */
  after_commit: { fault: null },
} as const satisfies Record<string, { readonly fault: 'timeout' | 'error_after' | null }>;

/** One of them. */
export type Failpoint = keyof typeof FAILPOINTS;
