import { ApplicationFailure, CancellationScope, condition, setHandler } from '@temporalio/workflow';
import type { LegResolution } from '../src/domain/case.ts';
import type { RefundStatus } from '../src/domain/refund-status.ts';
import { isStorableText } from '../src/domain/text.ts';
import { isCompleteAct, MAX_ACT_TEXT } from './acts.ts';
import * as messages from './messages.ts';
import type { ActRefusal, LegAct, OperatorAct, RefundView, ResolveAct } from './messages.ts';
import { viewOf } from './refund-run.ts';
import type { Decision, Intervention, RefundRun } from './refund-run.ts';

/** Which decision belongs to which checkpoint. */
const AWAITED_IN = { approve: 'review', reject: 'review', confirm: 'validate', contest: 'validate' } as const satisfies Record<Decision['word'], RefundStatus>;

/** Sets the handlers of all acts. They only enqueue: the story acts, and gives the verdict. */
export function handleDecisions(run: RefundRun): void {
  const deciding = [
    [messages.approveRefundUpdate, 'approve'], [messages.rejectRefundUpdate, 'reject'], [messages.confirmRefundUpdate, 'confirm'], [messages.contestRefundUpdate, 'contest'],
  ] as const;
  for (const [update, word] of deciding) {
    setHandler(update, (act) => decide(run, word, act), { validator: (act) => checkDecision(run, word, act) });
  }
  setHandler(messages.resolveRefundUpdate, (act) => intervene(run, act, resolutionOf(act)), { validator: (act) => checkResolution(run, act) });
  setHandler(messages.retryRefundUpdate, (act) => intervene(run, act, null), { validator: (act) => checkRetry(run, act) });
}

function actRefused(run: RefundRun, why: ActRefusal): ApplicationFailure {
  return ApplicationFailure.create({ type: messages.ACT_REFUSED, nonRetryable: true, details: [viewOf(run), why], message: `the refund is ${run.state.status}: ${why}` });
}

function checkAct(run: RefundRun, act: OperatorAct): void {
  if (!isCompleteAct(act)) throw actRefused(run, 'malformed');
}

function checkDecision(run: RefundRun, word: Decision['word'], act: OperatorAct): void {
  checkAct(run, act);
  // One that comes after a request to call it off is overtaken by that, and then learns how it ended.
  if (run.state.status !== AWAITED_IN[word] || run.stoppedAt !== run.state.status) throw actRefused(run, 'not_awaited');
  if (word === 'approve' && act.actor === (run.plan?.requestedBy ?? run.request.requestedBy)) throw actRefused(run, 'same_person');
}

async function decide(run: RefundRun, word: Decision['word'], { actor, reason }: OperatorAct): Promise<RefundView> {
  const decision: Decision = { word, actor, reason, verdict: 'open' };
  run.decisions.push(decision);
  await CancellationScope.nonCancellable(() => condition(() => decision.verdict !== 'open'));
  if (decision.verdict === 'overtaken') throw actRefused(run, 'overtaken');
  return viewOf(run);
}

/** Takes the decision that came first out of the line. */
export function takeDecision(run: RefundRun): Decision {
  const decision = run.decisions.shift();
  if (decision === undefined) throw new Error('there is no decision to take');
  return decision;
}

/** Tells everybody else that something came first; call it when what came first is on record. */
export function overtakeDecisions(run: RefundRun): void {
  for (const decision of run.decisions.splice(0)) decision.verdict = 'overtaken';
}

/** The same for those who wanted something done about a leg that is over, or with `null` about a refund that has legs by now. */
export function overtakeInterventions(run: RefundRun, legId: string | null): void {
  for (let asked = takeIntervention(run, legId); asked !== undefined; asked = takeIntervention(run, legId)) asked.verdict = 'overtaken';
}

/** Takes out of the line what was first asked about a leg, or with `null` about the refund before it has legs. */
export function takeIntervention(run: RefundRun, legId: string | null): Intervention | undefined {
  const index = run.interventions.findIndex((intervention) => intervention.legId === legId);
  return index === -1 ? undefined : run.interventions.splice(index, 1)[0];
}

function resolutionOf(act: ResolveAct): LegResolution {
  return act.outcome === 'succeeded' ? { outcome: 'succeeded', providerRefundId: act.providerRefundId } : { outcome: 'failed' };
}

function checkResolution(run: RefundRun, act: ResolveAct): void {
  checkAct(run, act);
  const isTyped = act.outcome === 'failed' || (act.outcome === 'succeeded' && isStorableText(act.providerRefundId, MAX_ACT_TEXT));
  if (!isTyped) throw actRefused(run, 'malformed');
  const legId = legMeant(run, act, [...run.cases]);
  // What was never sent can be called off, and is nothing to tell the outcome of.
  if (!run.sending) throw actRefused(run, 'not_awaited');
  if (legId === null || !run.cases.has(legId) || !run.pausing.has(legId)) throw actRefused(run, 'no_open_case');
}

function checkRetry(run: RefundRun, act: LegAct): void {
  checkAct(run, act);
  if (run.orderUnreadable && !run.sending) return;
  const legId = legMeant(run, act, hurriable(run));
  if (legId === null || !hurriable(run).includes(legId)) throw actRefused(run, 'not_awaited');
}

/** Legs whose wait may be cut short. */
function hurriable(run: RefundRun): readonly string[] {
  return [...run.pausing].filter(([, pause]) => pause.mayHurry).map(([legId]) => legId);
}

function legMeant(run: RefundRun, { chargeId }: LegAct, candidates: readonly string[]): string | null {
  if (chargeId !== undefined) return run.plan?.legs.find((leg) => leg.chargeId === chargeId)?.legId ?? null;
  if (candidates.length > 1) throw actRefused(run, 'charge_id_required');
  return candidates[0] ?? null;
}

async function intervene(run: RefundRun, act: LegAct, resolution: LegResolution | null): Promise<RefundView> {
  const legId = run.orderUnreadable ? null : legMeant(run, act, resolution === null ? hurriable(run) : [...run.cases]);
  const intervention: Intervention = { legId, resolution, actor: act.actor, reason: act.reason, verdict: 'open' };
  run.interventions.push(intervention);
  await CancellationScope.nonCancellable(() => condition(() => intervention.verdict !== 'open'));
  if (intervention.verdict !== 'done' && intervention.verdict !== 'open') throw actRefused(run, intervention.verdict);
  return viewOf(run);
}
