import type { PayoutOrderView, RefundEnd, RefundView } from '../../workflows/messages.ts';
import type { PayoutOrderAnswer, ReintegroClient, RefundAnswer } from '../../src/client/reintegro-client.ts';

/** A call that reached the client. */
export interface ClientCall {
  readonly method: keyof ReintegroClient;
  readonly args: readonly unknown[];
}

/** What the Workflows would answer; a call without a script is a failure of the test. */
export type ClientScript = Partial<ReintegroClient>;

/** A client without Temporal behind it: it notes every call and answers by its script. */
export class FakeClient implements ReintegroClient {
  readonly calls: ClientCall[] = [];
  script: ClientScript = {};

  reset(script: ClientScript = {}): void {
    this.calls.length = 0;
    this.script = script;
  }

  requestRefund(...args: Parameters<ReintegroClient['requestRefund']>): Promise<RefundAnswer> {
    return this.#run('requestRefund', args, this.script.requestRefund);
  }

  cancelRefund(...args: Parameters<ReintegroClient['cancelRefund']>): Promise<RefundView | null> {
    return this.#run('cancelRefund', args, this.script.cancelRefund);
  }

  approveRefund(...args: Parameters<ReintegroClient['approveRefund']>): Promise<RefundView | null> {
    return this.#run('approveRefund', args, this.script.approveRefund);
  }

  rejectRefund(...args: Parameters<ReintegroClient['rejectRefund']>): Promise<RefundView | null> {
    return this.#run('rejectRefund', args, this.script.rejectRefund);
  }

  confirmRefund(...args: Parameters<ReintegroClient['confirmRefund']>): Promise<RefundView | null> {
    return this.#run('confirmRefund', args, this.script.confirmRefund);
  }

  contestRefund(...args: Parameters<ReintegroClient['contestRefund']>): Promise<RefundView | null> {
    return this.#run('contestRefund', args, this.script.contestRefund);
  }

  resolveRefund(...args: Parameters<ReintegroClient['resolveRefund']>): Promise<RefundView | null> {
    return this.#run('resolveRefund', args, this.script.resolveRefund);
  }

  retryRefund(...args: Parameters<ReintegroClient['retryRefund']>): Promise<RefundView | null> {
    return this.#run('retryRefund', args, this.script.retryRefund);
  }

  signalRefundFact(...args: Parameters<ReintegroClient['signalRefundFact']>): Promise<void> {
    return this.#run('signalRefundFact', args, this.script.signalRefundFact);
  }

  reviewRefund(...args: Parameters<ReintegroClient['reviewRefund']>): Promise<void> {
    return this.#run('reviewRefund', args, this.script.reviewRefund);
  }

  acknowledgeLateFailure(...args: Parameters<ReintegroClient['acknowledgeLateFailure']>): Promise<void> {
    return this.#run('acknowledgeLateFailure', args, this.script.acknowledgeLateFailure);
  }

  createPayoutOrder(...args: Parameters<ReintegroClient['createPayoutOrder']>): Promise<PayoutOrderAnswer> {
    return this.#run('createPayoutOrder', args, this.script.createPayoutOrder);
  }

  cancelPayoutOrder(...args: Parameters<ReintegroClient['cancelPayoutOrder']>): Promise<PayoutOrderView | null> {
    return this.#run('cancelPayoutOrder', args, this.script.cancelPayoutOrder);
  }

  signalPayoutFact(...args: Parameters<ReintegroClient['signalPayoutFact']>): Promise<void> {
    return this.#run('signalPayoutFact', args, this.script.signalPayoutFact);
  }

  reportPayoutFact(...args: Parameters<ReintegroClient['reportPayoutFact']>): Promise<PayoutOrderView | null> {
    return this.#run('reportPayoutFact', args, this.script.reportPayoutFact);
  }

  retryPayoutOrder(...args: Parameters<ReintegroClient['retryPayoutOrder']>): Promise<PayoutOrderView | null> {
    return this.#run('retryPayoutOrder', args, this.script.retryPayoutOrder);
  }

  revivePayoutOrder(...args: Parameters<ReintegroClient['revivePayoutOrder']>): Promise<boolean> {
    return this.#run('revivePayoutOrder', args, this.script.revivePayoutOrder ?? (async () => false));
  }

  orderOfRefund(...args: Parameters<ReintegroClient['orderOfRefund']>): Promise<string | null> {
    return this.#run('orderOfRefund', args, this.script.orderOfRefund);
  }

  getRefund(...args: Parameters<ReintegroClient['getRefund']>): Promise<RefundView> {
    return this.#run('getRefund', args, this.script.getRefund);
  }

  waitForRefund(...args: Parameters<ReintegroClient['waitForRefund']>): Promise<RefundEnd> {
    return this.#run('waitForRefund', args, this.script.waitForRefund);
  }

  signalCancelRefund(...args: Parameters<ReintegroClient['signalCancelRefund']>): Promise<void> {
    return this.#run('signalCancelRefund', args, this.script.signalCancelRefund);
  }

  getPayoutOrder(...args: Parameters<ReintegroClient['getPayoutOrder']>): Promise<PayoutOrderView> {
    return this.#run('getPayoutOrder', args, this.script.getPayoutOrder);
  }

  waitForPayoutOrder(...args: Parameters<ReintegroClient['waitForPayoutOrder']>): Promise<PayoutOrderView> {
    return this.#run('waitForPayoutOrder', args, this.script.waitForPayoutOrder);
  }

  signalCancelPayoutOrder(...args: Parameters<ReintegroClient['signalCancelPayoutOrder']>): Promise<void> {
    return this.#run('signalCancelPayoutOrder', args, this.script.signalCancelPayoutOrder);
  }

  async #run<Args extends readonly unknown[], T>(method: keyof ReintegroClient, args: Args, script: ((...args: Args) => Promise<T>) | undefined): Promise<T> {
    this.calls.push({ method, args });
    if (script === undefined) throw new Error(`the test expects no ${method}`);
    return script(...args);
  }
}
