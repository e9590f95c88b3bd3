import type { SendOutcome } from '../../activities/contracts.ts';
import { eventually } from '../workflow/eventually.ts';
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

/** Waits until the first timer runs. */
export async function waitsInTimer(refund: TestRefund): Promise<void> {
  await reach(refund, (events) => countOf(events, 'timerStarted') === 1);
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
