import { deepEqual } from 'node:assert/strict';

import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkerOptions } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';

import { derivePayoutOrderId, deriveRefundId } from '../../src/client/identifiers.ts';
import { createReintegroClient } from '../../src/client/reintegro-client.ts';
import type { NewPayoutOrder, NewRefund, PayoutOrderAnswer, ReintegroClient, RefundAnswer, RequestOptions } from '../../src/client/reintegro-client.ts';
import { payoutOrderWorkflowId, refundAftermathWorkflowId, refundWorkflowId } from '../../workflows/ids.ts';
import type { LegAct, OperatorAct, PayoutFact, PayoutOrderView, RefundEnd, RefundView, ResolveAct } from '../../workflows/messages.ts';
import type { Script } from './scripted-activities.ts';
import { freeTime } from './time-lock.ts';
import { workflowBundle } from './workflow-bundle.ts';

/** One event of a history. */
export type HistoryEvent = NonNullable<History['events']>[number];

const MERCHANT = 'mer_1';

/** Who acts upon refunds and payout orders of tests: not who asked for them. */
export const SECOND_PERSON: OperatorAct = { actor: 'key_2', reason: 'looked at it' };

/** What refunds and payout orders of a test have in common. */
interface Process<View, Answer, End = View> {
  readonly id: string;
  readonly workflowId: string;
  readonly handle: WorkflowHandle;
  /** Asks for it through the typed client, as a backend does. */
  begin(options?: RequestOptions): Promise<Answer>;
  view(): Promise<View>;
  cancel(requestedBy?: string): Promise<View | null>;
  signalCancel(): Promise<void>;
  wait(): Promise<End>;
  events(): Promise<readonly HistoryEvent[]>;
}

/** The acts of people about a refund, through the typed client; as a second person unless told otherwise. */
interface RefundActs {
  approve(act?: OperatorAct): Promise<RefundView | null>;
  reject(act?: OperatorAct): Promise<RefundView | null>;
  confirm(act?: OperatorAct): Promise<RefundView | null>;
  contest(act?: OperatorAct): Promise<RefundView | null>;
  resolve(act: ResolveAct): Promise<RefundView | null>;
  retry(act?: LegAct): Promise<RefundView | null>;
  /** Tells it that something happened at its provider. */
  tell(eventId: string): Promise<void>;
}

/** A refund of a test. */
export interface TestRefund extends Process<RefundView, RefundAnswer, RefundEnd>, RefundActs {
  /** What is looked into after its end (R9). */
  aftermath(): TestAftermath;
}

/** What happens to a refund of a test after its end. */
export interface TestAftermath {
  readonly workflowId: string;
  readonly handle: WorkflowHandle;
  /** Has the refund looked at, through the typed client. */
  doubt(eventId: string): Promise<void>;
  acknowledge(act?: OperatorAct): Promise<void>;
  wait(): Promise<unknown>;
  events(): Promise<readonly HistoryEvent[]>;
}

/** A payout order of a test. */
export interface TestPayoutOrder extends Process<PayoutOrderView, PayoutOrderAnswer> {
  readonly expiresAtMs: number;
  tell(type: PayoutFact['type']): Promise<void>;
  /** Tells it, and waits until its provider was asked. */
  report(type: PayoutFact['type'], options?: RequestOptions): Promise<PayoutOrderView | null>;
  retry(act?: OperatorAct): Promise<PayoutOrderView | null>;
}

/** A Worker with scripted Activities, and the typed client before it. */
export interface Stage {
  readonly env: TestWorkflowEnvironment;
  readonly client: ReintegroClient;
  refund(more?: Partial<NewRefund>): TestRefund;
  /** Expires in 30 days of the server's time unless told otherwise. */
  payoutOrder(more?: Partial<NewPayoutOrder>): Promise<TestPayoutOrder>;
  /** Stops the Worker, lets things happen at the server meanwhile, and starts a new one: it meets them all in one Workflow Task. */
  whileWorkerIsGone(happen: () => Promise<void>): Promise<void>;
  /** Lets the server's time jump to an instant, milliseconds since 1970. */
  skipTo(instantMs: number): Promise<void>;
}

/** 30 days, in milliseconds. */
export const THIRTY_DAYS_MS = 30 * 24 * 3_600_000;

let stages = 0;

/** Runs a test on a stage of its own; afterwards no Workflow of it goes on and no Activity was called without a script. */
export async function onStage(env: TestWorkflowEnvironment, script: Script, act: (stage: Stage) => Promise<void>, options: Partial<WorkerOptions> = {}): Promise<void> {
  stages += 1;
  const taskQueue = options.taskQueue ?? `stage-${stages}`;
  const workflows = await workflowBundle();
  const start = async (): Promise<() => Promise<void>> => {
    // The Workflows run in the sandbox all the same, but without a thread of their own, which takes a third of a second to start.
    const worker = await Worker.create({ connection: env.nativeConnection, taskQueue, workflowBundle: workflows, activities: script.activities, shutdownGraceTime: 0, debugMode: true, ...options });
    const running = worker.run();
    return async () => {
      worker.shutdown();
      await running;
    };
  };
  let stop = await start();
  const begun: WorkflowHandle[] = [];
  const whileWorkerIsGone = async (happen: () => Promise<void>): Promise<void> => {
    await stop();
    await happen();
    stop = await start();
  };
  try {
    await act({ ...makeStage(env, taskQueue, begun), whileWorkerIsGone });
  } finally {
    await Promise.all(begun.map(terminate));
    await stop();
    if (env.supportsTimeSkipping) await freeTime(env);
  }
  deepEqual(script.unscripted, [], 'Activities were called that nobody scripted');
}

async function terminate(handle: WorkflowHandle): Promise<void> {
  try {
    await handle.terminate('the test is over');
  } catch (error) {
    // Most have come to their end by then, or were never begun.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

function makeStage(env: TestWorkflowEnvironment, taskQueue: string, begun: WorkflowHandle[]): Omit<Stage, 'whileWorkerIsGone'> {
  const client = createReintegroClient({ client: env.client, taskQueue });
  let made = 0;
  const nextKey = (): string => `${taskQueue}-${(made += 1)}`;
  const found = (workflowId: string) => {
    const handle = env.client.workflow.getHandle(workflowId);
    begun.push(handle);
    return { workflowId, handle, events: async () => (await handle.fetchHistory()).events ?? [] };
  };
  return {
    env, client,
    refund: (more = {}) => {
      const refund: NewRefund = { merchantId: MERCHANT, orderId: 'ord_1', idempotencyKey: nextKey(), requestedBy: 'key_1', ...more };
      const id = deriveRefundId(refund.merchantId, refund.orderId, refund.idempotencyKey);
      return {
        id, ...found(refundWorkflowId(MERCHANT, id)), ...actsOn(client, id),
        begin: (options) => client.requestRefund(refund, options),
        view: () => client.getRefund(MERCHANT, id),
        cancel: (requestedBy = 'key_1') => client.cancelRefund(MERCHANT, id, requestedBy),
        signalCancel: () => client.signalCancelRefund(MERCHANT, id, 'key_1'),
        wait: () => client.waitForRefund(MERCHANT, id),
        aftermath: () => aftermathOf(client, id, refund.orderId, found(refundAftermathWorkflowId(MERCHANT, id))),
      };
    },
    payoutOrder: async (more = {}) => {
      const order = { ...SAMPLE_PAYOUT, expiresAt: new Date((await env.currentTimeMs()) + THIRTY_DAYS_MS), idempotencyKey: nextKey(), ...more };
      const id = derivePayoutOrderId(MERCHANT, order.idempotencyKey);
      return {
        id, expiresAtMs: order.expiresAt.getTime(), ...found(payoutOrderWorkflowId(MERCHANT, id)),
        begin: (options) => client.createPayoutOrder(order, options),
        view: () => client.getPayoutOrder(MERCHANT, id),
        cancel: (requestedBy = 'key_1') => client.cancelPayoutOrder(MERCHANT, id, requestedBy),
        signalCancel: () => client.signalCancelPayoutOrder(MERCHANT, id, 'key_1'),
        wait: () => client.waitForPayoutOrder(MERCHANT, id),
        tell: (type) => client.signalPayoutFact(MERCHANT, id, { type, eventId: `evt_${type}` }),
        report: (type, options) => client.reportPayoutFact(MERCHANT, id, { type, eventId: `evt_${type}` }, options),
        retry: (act = SECOND_PERSON) => client.retryPayoutOrder(MERCHANT, id, act),
      };
    },
    skipTo: async (instantMs) => env.sleep(Math.max(0, instantMs - (await env.currentTimeMs()))),
  };
}

function actsOn(client: ReintegroClient, id: string): RefundActs {
  return {
    approve: (act = SECOND_PERSON) => client.approveRefund(MERCHANT, id, act),
    reject: (act = SECOND_PERSON) => client.rejectRefund(MERCHANT, id, act),
    confirm: (act = SECOND_PERSON) => client.confirmRefund(MERCHANT, id, act),
    contest: (act = SECOND_PERSON) => client.contestRefund(MERCHANT, id, act),
    resolve: (act) => client.resolveRefund(MERCHANT, id, act),
    retry: (act = SECOND_PERSON) => client.retryRefund(MERCHANT, id, act),
    tell: (eventId) => client.signalRefundFact(MERCHANT, id, eventId),
  };
}

function aftermathOf(client: ReintegroClient, id: string, orderId: string, workflow: Pick<TestAftermath, 'workflowId' | 'handle' | 'events'>): TestAftermath {
  return {
    ...workflow,
    doubt: (eventId) => client.reviewRefund(MERCHANT, id, orderId, eventId),
    acknowledge: (act = SECOND_PERSON) => client.acknowledgeLateFailure(MERCHANT, id, act),
    wait: () => workflow.handle.result(),
  };
}

const SAMPLE_PAYOUT = {
  merchantId: MERCHANT, amountMinor: 50_000, currency: 'MXN', allowedPayoutMethods: ['cash'], payoutMethodType: 'cash',
  customerId: 'cus_1', reason: 'Payout order', requestedBy: 'key_1',
} as const;
