import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findFreePort, requireFreePorts } from '../../src/embedded/port-check.ts';
import type { ProcessIdentity } from '../../src/embedded/process-identity.ts';
import { call } from '../support/http-call.ts';
import { startNodeProgram } from '../support/processes.ts';
import type { Program } from '../support/processes.ts';
import { EXECUTABLE } from '../support/product.ts';
import { temporalCliPath } from '../support/temporal-programs.ts';
import { merchantBackend, orLost, PATIENCE, readOrder, readPayoutOrder, untilAnswered } from './merchant-backend.ts';
import type { MerchantBackend } from './merchant-backend.ts';
import { killAll, processTree, stillAlive } from './process-tree.ts';
import { expectMoved, providerSide } from './provider-side.ts';
import type { ProviderSide } from './provider-side.ts';
import { hasBrowser, readWorkflowPages } from './web-ui.ts';

const DEMO = join(import.meta.dirname, '../../scripts/demo.ts');
const PORTS = ['PORT', 'SANDBOX_PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT'] as const;
/** The command of the ready message. */
const CURL = /^ {2}curl (?<url>\S+) -u (?<user>\S+) -H 'Content-Type: application\/json' -d '(?<body>[^']+)'$/;

let dataDir: string;
let ports: Record<(typeof PORTS)[number], number>;
let env: Record<string, string>;
let stack: Program;
const started: ProcessIdentity[] = [];
let refundId = '';
let backend: MerchantBackend;
let provider: ProviderSide;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'reintegro-newcomer-'));
  const [PORT = 0, SANDBOX_PORT = 0, TEMPORAL_PORT = 0, TEMPORAL_UI_PORT = 0] = await Promise.all(PORTS.map(() => findFreePort()));
  ports = { PORT, SANDBOX_PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT };
  env = {
    PATH: process.env['PATH'] ?? '', DATA_DIR: dataDir, TEMPORAL_CLI_PATH: temporalCliPath(),
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
  };
  backend = merchantBackend(`http://127.0.0.1:${PORT}`);
  provider = providerSide(`http://127.0.0.1:${SANDBOX_PORT}`);
});
afterAll(async () => {
  killAll(await stillAlive(started));
  await rm(dataDir, { recursive: true, force: true });
});

/** What `npm start` runs, until it says that it is ready. Gives the ready command. */
async function start(): Promise<RegExpExecArray['groups']> {
  stack = await startNodeProgram(EXECUTABLE, ['dev'], { env });
  started.push(...await processTree(stack.pid));
  await stack.waitForLine(/^Reintegro is ready\.$/);
  started.push(...await processTree(stack.pid));
  return CURL.exec(await stack.waitForLine(/^ {2}curl /))?.groups;
}

describe('npm start', () => {
  it('should say where things are, and a refund to paste that works (D1)', { timeout: 90_000 }, async () => {
    const command = await start();
    expect(command).toBeDefined();
    const said = stack.lines().join('\n');
    for (const port of [ports.PORT, ports.SANDBOX_PORT, ports.TEMPORAL_UI_PORT]) expect(said).toContain(`http://127.0.0.1:${port}`);
    expect(said).toContain(dataDir);
    expect(await (await fetch(`http://127.0.0.1:${ports.TEMPORAL_UI_PORT}/namespaces/default/workflows`)).text()).toMatch(/<html/i);

    const response = await fetch(command?.['url'] ?? '', {
      method: 'POST', body: command?.['body'] ?? '',
      headers: { 'content-type': 'application/json', authorization: `Basic ${Buffer.from(command?.['user'] ?? '').toString('base64')}` },
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ amount: 50_000, amount_refunded: 10_000, payment_status: 'partially_refunded' });
    refundId = response.headers.get('reintegro-refund-id') ?? '';
  });

  it('should show that refund in the Temporal Web UI, readable and without personal data (A6, I7)', { timeout: 90_000 }, async ({ skip }) => {
    skip(!(await hasBrowser()), 'no Chromium here');
    const pages = await readWorkflowPages(`http://127.0.0.1:${ports.TEMPORAL_UI_PORT}`, `refund:merchant_demo:${refundId}`);
    expect(pages.metadata).toContain('Refund $100.00 MXN');
    expect(pages.metadata).toMatch(/Status: refunded \(complete\)/);
    expect(pages.metadata).toMatch(/send 1: \$100\.00 MXN of charge [0-9a-f]{24}/);
    for (const value of ['ReintegroMerchant', 'merchant_demo', 'ReintegroAmount', '10000', 'refunded']) expect(pages.searchAttributes).toContain(value);
    expect(pages.metadata + pages.searchAttributes).not.toMatch(/frida|kahlo|@example\.com|\+52/i);
  });

  it('should carry the demo to its end, whose journal and books agree (I2)', { timeout: 120_000 }, async () => {
    const demo = await startNodeProgram(DEMO, [], { env });
    await demo.outputEnded;
    expect({ end: await demo.exited, lines: demo.lines() }).toMatchObject({ end: { code: 0 } });
    expect(demo.lines()).toContain('The journal and our books agree: every refund moved exactly once.');
  });

  it('should go on where it was after kill -9 of the whole tree (D1, I1, I2, I3)', { timeout: 120_000 }, async () => {
    const pending = readPayoutOrder(await backend.askForPayoutOrder(3000));
    const collected = readPayoutOrder(await backend.askForPayoutOrder(4000));
    const order = await backend.createOrder(50_000);
    const ask = ((key) => () => backend.refund(order.orderId, {}, key))(randomUUID());
    await provider.arm({ operation: 'refund', mode: 'timeout', charge_id: order.chargeId });
    const asked = orLost(ask());
    await vi.waitFor(async () => expect(await provider.journal(order)).toHaveLength(1), PATIENCE);
    const tree = await processTree(stack.pid);
    expect(tree.length).toBeGreaterThanOrEqual(4);
    killAll(tree);
    expect(await asked).toBe('connection lost');
    await vi.waitFor(async () => expect(await stillAlive(tree)).toEqual([]), PATIENCE);

    await start();
    expect(await backend.payoutOrder(pending.id)).toMatchObject({ status: 'pending' });
    expect(readPayoutOrder(await backend.cancelPayoutOrder(pending.id))).toMatchObject({ status: 'cancelled' });
    expect(await provider.till(collected.id, 'withdrawal')).toMatchObject({ status: 200 });
    await vi.waitFor(async () => expect(await backend.payoutOrder(collected.id)).toMatchObject({ status: 'pending_confirmation' }), PATIENCE);
    // Nobody asks again: the refund goes on by itself.
    await vi.waitFor(async () => expect(await backend.books(order)).toHaveLength(1), PATIENCE);
    const answer = await untilAnswered(ask);
    expect(readOrder(answer)).toMatchObject({ amount_refunded: 50_000, payment_status: 'refunded' });
    expect(answer.header('idempotent-replayed')).toBe('true');
    await expectMoved(provider, backend, order, [50_000]);
  });

  it('should take over what a supervisor killed with -9 leaves behind, with all state (D1)', { timeout: 90_000 }, async () => {
    const kept = readPayoutOrder(await backend.askForPayoutOrder(5000));
    const before = await processTree(stack.pid);
    await stack.kill9();
    await start();
    expect(await stillAlive(before)).toEqual([]);
    expect(await backend.payoutOrder(kept.id)).toMatchObject({ status: 'pending' });
    expect(readPayoutOrder(await backend.cancelPayoutOrder(kept.id))).toMatchObject({ status: 'cancelled' });
  });

  it('should stop all of it at Ctrl-C, and free its ports (D1)', async () => {
    const tree = await processTree(stack.pid);
    stack.signal('SIGINT');
    expect(await stack.exited).toEqual({ code: 0, signal: null });
    expect(await stillAlive(tree)).toEqual([]);
    await requireFreePorts(PORTS.map((variable) => ({ variable, port: ports[variable] })));
    await expect(call('GET', `http://127.0.0.1:${ports.PORT}/health/live`)).rejects.toThrow();
  });
});
