import type { PayoutOrderView, RefundView } from '../../workflows/messages.ts';
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

  createPayoutOrder(...args: Parameters<ReintegroClient['createPayoutOrder']>): Promise<PayoutOrderAnswer> {
    return this.#run('createPayoutOrder', args, this.script.createPayoutOrder);
  }

  cancelPayoutOrder(...args: Parameters<ReintegroClient['cancelPayoutOrder']>): Promise<PayoutOrderView | null> {
    return this.#run('cancelPayoutOrder', args, this.script.cancelPayoutOrder);
  }

  signalPayoutFact(...args: Parameters<ReintegroClient['signalPayoutFact']>): Promise<void> {
    return this.#run('signalPayoutFact', args, this.script.signalPayoutFact);
  }

  getRefund(...args: Parameters<ReintegroClient['getRefund']>): Promise<RefundView> {
    return this.#run('getRefund', args, this.script.getRefund);
  }

  waitForRefund(...args: Parameters<ReintegroClient['waitForRefund']>): Promise<RefundView> {
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
