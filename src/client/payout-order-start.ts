import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { formatMoney } from '../domain/money.ts';
import { isFinalPayoutOrderStatus } from '../domain/payout-order.ts';
import { FINGERPRINT_MEMO, payoutOrderWorkflowId } from '../../workflows/ids.ts';
import * as messages from '../../workflows/messages.ts';
import type { PayoutFact, PayoutOrderView } from '../../workflows/messages.ts';
import type { payoutOrderWorkflow } from '../../workflows/payout-order.ts';
import { checkPayoutOrder } from './check-request.ts';
import { derivePayoutOrderId, fingerprintOf } from './identifiers.ts';
import type { NewPayoutOrder, RecordedPayoutOrder, RequestOptions } from './requests.ts';
import { startAttributes } from './start-attributes.ts';
import { startAndWait } from './temporal-calls.ts';
import type { Answer } from './temporal-calls.ts';

/** A payout order's id with what is known of it. */
export type PayoutOrderAnswer = Answer<PayoutOrderView> & { readonly payoutOrderId: string };

/** Creates a payout order, or finds the one its key stands for, and waits for an answer. @throws InvalidRequestError; KeyReusedError */
export async function createPayoutOrder(client: Client, taskQueue: string, order: NewPayoutOrder, options: RequestOptions & { readonly waitMs: number }): Promise<PayoutOrderAnswer> {
  checkPayoutOrder(order);
  const { merchantId, idempotencyKey } = order;
  const payoutOrderId = derivePayoutOrderId(merchantId, idempotencyKey);
  const fingerprint = payoutOrderFingerprint(order);
  const start = startOf(taskQueue, { ...order, payoutOrderId, metadata: order.metadata ?? {}, expiresAt: order.expiresAt.toISOString(), fingerprint });
  const answer = await startAndWait(client, {
    workflowType: 'payoutOrderWorkflow', start, outcome: messages.payoutOrderOutcomeUpdate, whole: (told) => told, state: messages.payoutOrderStateQuery, fingerprint,
    isFinal: ({ status }) => isFinalPayoutOrderStatus(status), firstAnswerSuffices: options.firstAnswerSuffices === true,
  }, options.waitMs);
  return { ...answer, payoutOrderId };
}

/** Begins a payout order's Workflow again if it was ended by hand, and has it ask the provider. `false` when it came to its end. */
export async function revivePayoutOrder(client: Client, taskQueue: string, order: RecordedPayoutOrder): Promise<boolean> {
  try {
    await client.workflow.signalWithStart<typeof payoutOrderWorkflow, [PayoutFact]>('payoutOrderWorkflow', {
      ...startOf(taskQueue, order), memo: { [FINGERPRINT_MEMO]: order.fingerprint }, workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      signal: messages.payoutFactSignal, signalArgs: [{ type: 'changed', eventId: 'begun_again' }],
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

function startOf(taskQueue: string, order: RecordedPayoutOrder) {
  const { merchantId, payoutOrderId, amountMinor, currency } = order;
  return {
    workflowId: payoutOrderWorkflowId(merchantId, payoutOrderId), taskQueue, staticSummary: `Payout order ${formatMoney({ amountMinor, currency })}`,
    args: [order] as [RecordedPayoutOrder], typedSearchAttributes: startAttributes('open', merchantId, { amountMinor, currency }, []),
  };
}

/** What makes two payout order requests the same (R8). */
export function payoutOrderFingerprint({ merchantId: _merchant, idempotencyKey: _key, requestedBy: _by, ...asked }: NewPayoutOrder): string {
  return fingerprintOf({ ...asked, expiresAt: asked.expiresAt.toISOString(), metadata: asked.metadata ?? {} });
}
