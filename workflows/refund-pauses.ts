import { condition } from '@temporalio/workflow';
import type { LegPlan, Settled } from '../activities/contracts.ts';
import * as activities from './activity-options.ts';
import { overtakeInterventions, takeIntervention } from './refund-decisions.ts';
import { legRef, parked, refundRef, show } from './refund-run.ts';
import type { Intervention, RefundRun } from './refund-run.ts';

/** A leg whose outcome a human told; the verdict on the act is given once the story has taken it over. */
export type Resolved = { readonly kind: 'resolved'; readonly asked: Intervention } & Settled;

/** A wait of one leg. */
export interface Pause {
  readonly waitsFor: string;
  /** `null`: until somebody does something. */
  readonly ms: number | null;
  readonly summary: string;
  /** Whether an operator may have it cut short. */
  readonly mayHurry: boolean;
  /** Whether what was waited for has come. */
  readonly isOver?: () => boolean;
}

/**
 * Waits with a timer of the Workflow while callers are answered with the state as it is. Answers an outcome when a human resolved the leg
 * meanwhile (O2); `null` when the time is over, what was waited for has come, or an operator wants it tried now.
 */
export function pauseLeg(run: RefundRun, leg: LegPlan, pause: Pause): Promise<Resolved | null> {
  return parked(run, leg, pause.waitsFor, async () => {
    run.pausing.set(leg.legId, { mayHurry: pause.mayHurry });
    // Only now can the page say that an operator may act.
    show(run);
    try {
      const resolved = await waitOut(run, leg, pause);
      // What was asked for in this wait is not meant for the next one, before which something may be sent.
      if (resolved === null) overtakeInterventions(run, leg.legId);
      return resolved;
    } finally {
      run.pausing.delete(leg.legId);
    }
  });
}

async function waitOut(run: RefundRun, leg: LegPlan, { ms, summary, isOver = () => false }: Pause): Promise<Resolved | null> {
  const startedMs = Date.now();
  const isAsked = (): boolean => run.interventions.some((asked) => asked.legId === leg.legId);
  for (;;) {
    const isDue = (): boolean => isAsked() || isOver();
    const isWoken = ms === null ? await condition(isDue).then(() => true) : await condition(isDue, Math.max(1, startedMs + ms - Date.now()), { summary });
    if (!isWoken) return null;
    const asked = takeIntervention(run, leg.legId);
    const resolved = asked === undefined ? null : await intervene(run, leg, asked);
    if (resolved !== null) return resolved;
    const isRetried = asked?.verdict === 'done';
    if (isRetried || isOver()) return null;
  }
}

/** Does what an operator asked for; the verdict is given when it is on record. */
async function intervene(run: RefundRun, leg: LegPlan, asked: Intervention): Promise<Resolved | null> {
  const { actor, reason, resolution } = asked;
  if (resolution === null) {
    await activities.recordAct({ ...refundRef(run), act: 'retried', actor, reason });
    asked.verdict = 'done';
    return null;
  }
  const answer = await activities.resolveLeg({ ...legRef(run, leg), resolution, actor, reason });
  if (answer.kind === 'refused') {
    asked.verdict = answer.why;
    return null;
  }
  return { ...answer, kind: 'resolved', asked };
}
