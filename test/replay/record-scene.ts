import type { SendOutcome } from '../../activities/contracts.ts';
import { eventually } from '../workflow/eventually.ts';
import { fakePayoutProvider } from '../workflow/fake-payout-provider.ts';
import type { FakePayoutProvider, PayoutRules } from '../workflow/fake-payout-provider.ts';
import { countOf } from '../workflow/read-history.ts';
import { ACCEPTED, PROTOCOL } from '../workflow/refund-samples.ts';
import type { Script } from '../workflow/scripted-activities.ts';
import type { Stage, TestPayoutOrder, TestRefund } from '../workflow/stage.ts';

/** A process whose history is kept. */
type RecordedProcess = Pick<TestRefund, 'workflowId' | 'events'>;

/** One outcome whose history is kept: what the Activities answer, and how the process is brought to its end. */
export interface RecordedOutcome {
  /** Name of the history's file. */
  readonly name: string;
  /** Acts until the outcome is reached, and hands over the process whose history is kept. */
  play(stage: Stage, script: Script): Promise<RecordedProcess>;
  /** Played on a server that suggests a new run from so many events on. */
  readonly longEvents?: number;
}

/** Real time passes while histories are recorded: what takes a minute in life takes a moment here. */
export const QUICK = { ...PROTOCOL, settleDelayMs: 200 };
/** A leg that succeeded while others are under way. */
export const SENT: SendOutcome = { ...ACCEPTED, refundStatus: 'in_process', statusDetail: 'sent' };

/** A refund: when nothing is done to it, it comes to its end by itself. */
export function refundOutcome(name: string, prepare: (script: Script) => void, act?: (refund: TestRefund, stage: Stage) => Promise<void>): RecordedOutcome {
  return {
    name,
    play: async (stage, script) => {
      prepare(script);
      const refund = stage.refund({ idempotencyKey: name });
      const begun = refund.begin({ shownMoney: { amountMinor: 5000, currency: 'MXN' } });
      if (act !== undefined) await act(refund, stage);
      await begun;
      if (act === undefined) await refund.wait();
      return refund;
    },
  };
}

/** What is special about a payout order whose history is kept; an hour to live, one send, short windows and delays otherwise. */
interface PayoutOutcomeRules extends PayoutRules {
  readonly lifeMs?: number;
}

/** A payout order whose provider is the fake one, prepared further, and what is done to it until its end. */
export function payoutOutcome(
  name: string, prepare: (script: Script, provider: FakePayoutProvider) => void, act: (payout: TestPayoutOrder, provider: FakePayoutProvider) => Promise<void>, { lifeMs = 3_600_000, ...rules }: PayoutOutcomeRules = {},
): RecordedOutcome {
  return {
    name,
    play: async (stage, script) => {
      const provider = fakePayoutProvider(script, { confirmationWindowMs: 500, settleDelayMs: 200, maxSends: 1, ...rules });
      prepare(script, provider);
      const payout = await stage.payoutOrder({ idempotencyKey: name, expiresAt: new Date(Date.now() + lifeMs) });
      await payout.begin();
      await act(payout, provider);
      return payout;
    },
  };
}

/** Waits until the first timer runs. */
export async function waitsInTimer(subject: RecordedProcess): Promise<void> {
  await reach(subject, (events) => countOf(events, 'timerStarted') === 1);
}

/** Waits until a process has such a history. */
export async function reach(subject: RecordedProcess, reached: (events: Awaited<ReturnType<TestRefund['events']>>) => boolean): Promise<void> {
  await eventually(async () => {
    if (!reached(await subject.events())) throw new Error(`${subject.workflowId} is not there yet`);
  });
}

/** Waits until a human is needed. */
export async function needsAttention(subject: TestRefund | TestPayoutOrder): Promise<void> {
  await eventually(async () => {
    if (!(await subject.view()).needsAttention) throw new Error(`${subject.workflowId} needs no attention yet`);
  });
}
