import { expect, describe, it, onTestFinished } from 'vitest';
import { createConektaAdapter } from '../../../src/providers/conekta/adapter.ts';
import { advanceClock, startSandbox } from '../../sandbox/start-sandbox.ts';
import { CALL, PAYOUT, REFERENCE } from './golden.ts';
import { respond, startScriptedServer } from './scripted-server.ts';

const HOUR_MS = 3_600_000;
const inDays = (days: number) => Math.floor(Date.now() / 1000) + days * 86_400;

/** A sandbox behind a front whose search shows nothing, an adapter for each, and what the front was asked. */
async function startBlindSandbox() {
  const sandbox = await startSandbox();
  const front = await startScriptedServer();
  front.script((response, request) => {
    if (request.url.includes('search=')) return respond(200, { object: 'list', has_more: false, data: [] })(response, request);
    return void fetch(sandbox.url + request.url, { headers: { authorization: request.headers.authorization ?? '' } })
      .then(async (answer) => respond(answer.status, await answer.json())(response, request));
  });
  const adapter = createConektaAdapter({ baseUrl: sandbox.url, timeoutMs: 5000 });
  const blind = createConektaAdapter({ baseUrl: front.baseUrl, timeoutMs: 5000 });
  onTestFinished(async () => {
    await Promise.all([adapter.close(), blind.close()]);
    await front.close();
  });
  const create = (reference: string) => adapter.createPayoutOrder(CALL, { ...PAYOUT, reference, expiresAt: inDays(30) });
  const createOthers = async (count: number) => {
    for (let made = 0; made < count; made += 1) await create(`other-${Math.random()}`);
  };
  return { adapter, blind, seen: front.seen, create, createOthers };
}

describe('findPayoutOrder at the sandbox', () => {
  it('should find an order on the second page of the list, and prove the absence of another there (S4)', async () => {
    const { adapter, blind, seen, create, createOthers } = await startBlindSandbox();
    const startedAt = new Date();
    const { providerPayoutOrderId } = await create(REFERENCE);
    await createOthers(250);
    expect((await adapter.findPayoutOrder(CALL, REFERENCE, startedAt))?.providerPayoutOrderId).toBe(providerPayoutOrderId);
    expect((await blind.findPayoutOrder(CALL, REFERENCE, startedAt))?.providerPayoutOrderId).toBe(providerPayoutOrderId);
    expect(seen).toHaveLength(3);
    expect(await blind.findPayoutOrder(CALL, 'never-made', startedAt)).toBeNull();
    expect(seen).toHaveLength(6);
  });

  it('should read no further back than ours could be (S4)', async () => {
    const { blind, seen, createOthers } = await startBlindSandbox();
    await createOthers(200);
    advanceClock(HOUR_MS);
    await createOthers(51);
    expect(await blind.findPayoutOrder(CALL, REFERENCE, new Date(Date.now() + 2 * HOUR_MS))).toBeNull();
    expect(seen).toHaveLength(2);
  });
});
