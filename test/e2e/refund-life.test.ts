import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deriveRefundId } from '../../src/client/identifiers.ts';
import { createReintegroClient } from '../../src/client/reintegro-client.ts';
import type { ReintegroClient } from '../../src/client/reintegro-client.ts';
import { listCases } from '../../src/store/cases.ts';
import { openDatabase } from '../../src/store/database.ts';
import { saveRefundPolicy } from '../../src/store/merchants.ts';
import type { Database } from '../../src/store/database.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import type { TemporalClient } from '../../src/temporal/connection.ts';
import { refundWorkflowId } from '../../workflows/ids.ts';
import { createDatabase, startPostgres } from '../support/postgres.ts';
import { startProduct } from '../support/product.ts';
import type { Product } from '../support/product.ts';
import { expectDone, expectRefused, expectUnderWay, FACE_NAMES, refundFace } from '../support/refund-faces.ts';
import type { FaceName, Paid, RefundFace } from '../support/refund-faces.ts';
import { merchantBackend, PATIENCE, untilTold } from './merchant-backend.ts';
import type { MerchantBackend } from './merchant-backend.ts';
import { expectMoved, expectMovedInAnyOrder, providerSide } from './provider-side.ts';
import type { ProviderSide } from './provider-side.ts';

const MERCHANT = 'merchant_demo';
const OPERATOR = { actor: 'operator_1', reason: 'told by the provider on the phone' };

const postgres = await startPostgres();
let product: Product;
let temporal: TemporalClient;
let db: Database;
let client: ReintegroClient;
let backend: MerchantBackend;
let provider: ProviderSide;

const faceOf = (face: FaceName): RefundFace => refundFace(face, product);

beforeAll(async () => {
  if (postgres === null) return;
  const url = await createDatabase(postgres, 'refund_life');
  product = await startProduct({ databaseUrl: url, apis: 1, workers: 1 });
  temporal = await connectClient({ address: product.temporal.address, namespace: 'default' });
  client = createReintegroClient({ client: temporal.client });
  db = openDatabase({ kind: 'postgres', url, poolSize: 2 });
  backend = merchantBackend(product.apiUrl);
  provider = providerSide(product.sandboxUrl);
});
afterAll(async () => {
  await db?.destroy();
  await temporal?.close();
  await product?.stop();
  await postgres?.stop();
});

/** The statuses a refund has been through, as the audit trail has them. */
async function statuses(refundId: string): Promise<readonly string[]> {
  const rows = await db.selectFrom('transitions').select(['from_status', 'to_status']).where('subject_id', '=', refundId).orderBy('transition_id').execute();
  return rows.filter((row) => row.from_status !== row.to_status).map((row) => row.to_status);
}

async function openCases(refundId: string): Promise<readonly string[]> {
  return (await listCases(db, MERCHANT, { refundId })).filter(({ status }) => status === 'open').map(({ kind }) => kind);
}

/** The id of the refund that a key stands for. */
function idOf({ orderId }: Paid, key: string, merchant = MERCHANT): string {
  return deriveRefundId(merchant, orderId, key);
}

// One source for both faces: all of it happens at once, so that the second face takes hardly any longer.
const describeFaces = describe.skipIf(postgres === null).concurrent.each(FACE_NAMES);

describeFaces('the life of a refund over the face of %s, at a provider that takes its time', (name) => {
  it('should follow an asynchronous refund by webhook from authorized over approved to refunded, and move money once (R6, A8)', async () => {
    const face = faceOf(name);
    const paid = await face.pay(30_000);
    const key = randomUUID();
    await provider.arm({ operation: 'refund', charge_id: paid.chargeId, mode: 'async', delay_ms: 3000 });
    expectUnderWay(await face.refund(paid, {}, key), paid);
    await expectMoved(provider, backend, paid, []);
    expectDone(await untilTold(() => face.refund(paid, {}, key)), paid, 30_000);
    expect(await statuses(idOf(paid, key))).toEqual(['pending', 'in_process', 'authorized', 'approved', 'refunded']);
    await expectMoved(provider, backend, paid, [30_000]);
  });

  it('should find out by looking when no webhook arrives, and give the amount free when the provider fails (R6, M4)', { timeout: 90_000 }, async () => {
    const face = faceOf(name);
    const paid = await face.pay(20_000);
    const key = randomUUID();
    await provider.arm({ operation: 'webhook', mode: 'drop', times: 10, charge_id: paid.chargeId });
    await provider.arm({ operation: 'refund', charge_id: paid.chargeId, mode: 'async_failure', delay_ms: 2000 });
    expectUnderWay(await face.refund(paid, { amountMinor: 15_000 }, key), paid);
    // Held while it is not known: no more than what remains beside it can be refunded.
    expectRefused(await face.refund(paid, { amountMinor: 10_000 }), 422, 'parameter_validation.amount.exceeds_remaining');
    expectRefused(await untilTold(() => face.refund(paid, { amountMinor: 15_000 }, key)), 402, 'processing.charge_operations.refund.declined');
    expectDone(await face.refund(paid, {}), paid, 20_000);
    await expectMoved(provider, backend, paid, [20_000]);
  });

  it('should book a late failure once, make the amount refundable again, and wait for an operator to take note (R9, O1, O2, O3)', async () => {
    const face = faceOf(name);
    const paid = await face.pay(10_000);
    const { currency } = paid;
    const key = randomUUID();
    const refundId = idOf(paid, key);
    await provider.arm({ operation: 'refund', charge_id: paid.chargeId, mode: 'late_failure', delay_ms: 1500 });
    expectDone(await face.refund(paid, {}, key), paid, 10_000);
    await vi.waitFor(async () => expect(await openCases(refundId)).toEqual(['late_failure']), PATIENCE);
    const moved = [{ kind: 'refund', amount: 10_000, currency }, { kind: 'refund_failed', amount: 10_000, currency }];
    expect({ journal: await provider.journal(paid), books: await backend.books(paid) }).toEqual({ journal: moved, books: moved });
    expect(await statuses(refundId)).toEqual(['pending', 'in_process', 'refunded', 'rejected']);
    expectRefused(await face.refund(paid, {}, key), 402, 'processing.charge_operations.refund.declined');
    expectDone(await face.refund(paid, {}), paid, 10_000);
    await client.acknowledgeLateFailure(MERCHANT, refundId, OPERATOR);
    expect(await openCases(refundId)).toEqual([]);
    expect((await listCases(db, MERCHANT, { refundId }))[0]).toMatchObject({ resolution: 'acknowledged', resolvedBy: 'operator_1' });
  });
});

describeFaces('what people do about a refund over the face of %s', (name) => {
  it('should wait for a second person above the threshold, and for nobody below it (R3, O3)', async () => {
    // A merchant of its own: its policy holds for all of its refunds.
    const merchant = 'merchant_demo_two';
    const face = refundFace(name, { ...product, key: 'key_demo_two' });
    const theirs = merchantBackend(product.apiUrl, 'key_demo_two');
    await saveRefundPolicy(db, merchant, { reviewThresholdMinor: 40_000 });
    const paid = await face.pay(50_000);
    const key = randomUUID();
    const refundId = idOf(paid, key, merchant);
    expectUnderWay(await face.refund(paid, { amountMinor: 40_000 }, key), paid);
    // It holds its amount and not the charge's gate.
    expectDone(await face.refund(paid, { amountMinor: 5000 }), paid, 5000);
    await expect(client.approveRefund(merchant, refundId, { actor: 'key_demo_two', reason: 'I want it' })).rejects.toMatchObject({ name: 'ActRefusedError', why: 'same_person' });
    await expectMoved(provider, theirs, paid, [5000]);
    expect(await client.approveRefund(merchant, refundId, OPERATOR)).toMatchObject({ refundId });
    expectDone(await untilTold(() => face.refund(paid, { amountMinor: 40_000 }, key)), paid, 40_000, 45_000);
    expect(await statuses(refundId)).toEqual(['pending', 'review', 'in_process', 'refunded']);
    expect(await db.selectFrom('transitions').select(['actor', 'reason']).where('subject_id', '=', refundId).where('status_detail', '=', 'reviewed').execute()).toEqual([OPERATOR]);
    await expectMoved(provider, theirs, paid, [5000, 40_000]);
  });

  it('should end a refund whose outcome nobody knows by the word of a human, and give its amount back to others (S4, M4, O2)', { timeout: 90_000 }, async () => {
    const face = faceOf(name);
    const paid = await face.pay(10_000);
    const [key, next] = [randomUUID(), randomUUID()];
    const refundId = idOf(paid, key);
    await provider.arm({ operation: 'refund', charge_id: paid.chargeId, mode: 'hang', times: 3 });
    expectUnderWay(await face.refund(paid, { amountMinor: 4000 }, key), paid);
    await vi.waitFor(async () => expect(await openCases(refundId)).toEqual(['outcome_unknown']), PATIENCE);
    // Held until somebody has decided.
    expectRefused(await face.refund(paid, { amountMinor: 6001 }), 422);
    const other = face.refund(paid, { amountMinor: 6000 }, next);
    // Only at Conekta, where a refund is known by its amount, do others of the charge wait for it (S5).
    if (name === 'gateway') expectDone(await other, paid, 6000);
    await expect(client.resolveRefund(MERCHANT, refundId, { ...OPERATOR, outcome: 'succeeded', providerRefundId: '' })).rejects.toMatchObject({ why: 'malformed' });
    expect(await client.resolveRefund(MERCHANT, refundId, { ...OPERATOR, outcome: 'failed' })).toMatchObject({ status: 'rejected', statusDetail: 'resolved_as_failed' });
    expect(['done', 'under_way']).toContain((await other).meaning);
    expectDone(await untilTold(() => face.refund(paid, { amountMinor: 6000 }, next)), paid, 6000);
    expect(await openCases(refundId)).toEqual([]);
    await expectMoved(provider, backend, paid, [6000]);
    expectDone(await face.refund(paid, {}), paid, 4000, 10_000);
  });

  it('should not let a refund whose Workflow was terminated block its charge, nor pay it twice (S5, I1)', { timeout: 120_000 }, async () => {
    const face = faceOf(name);
    const paid = await face.pay(10_000);
    const [key, next] = [randomUUID(), randomUUID()];
    const refundId = idOf(paid, key);
    await provider.arm({ operation: 'refund', charge_id: paid.chargeId, mode: 'timeout' });
    const lost = face.refund(paid, { amountMinor: 4000 }, key);
    await vi.waitFor(async () => expect(await provider.journal(paid)).toHaveLength(1), PATIENCE);
    await temporal.client.workflow.getHandle(refundWorkflowId(MERCHANT, refundId)).terminate('by hand');
    await lost;
    expectDone(await vi.waitFor(() => untilTold(() => face.refund(paid, { amountMinor: 6000 }, next)), { timeout: 100_000, interval: 500 }), paid, 6000, 10_000);
    // Who waits for the gate finds out; at the gateway nobody waits, until its key asks again.
    const noticed = name === 'conekta' ? [['workflow_gone', 'resolved']] : [];
    if (name === 'gateway') expectDone(await untilTold(() => face.refund(paid, { amountMinor: 4000 }, key)), paid, 4000);
    expect(await statuses(refundId)).toEqual(['pending', 'in_process', 'refunded']);
    expect((await listCases(db, MERCHANT, { refundId })).map(({ kind, status }) => [kind, status])).toEqual(noticed);
    await expectMovedInAnyOrder(provider, backend, paid, [4000, 6000]);
  });
});
