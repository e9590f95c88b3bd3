import { randomUUID } from 'node:crypto';
import { expect, vi } from 'vitest';
import { deriveRefundId } from '../../src/client/identifiers.ts';
import { connectClient } from '../../src/temporal/connection.ts';
import type { TemporalClient } from '../../src/temporal/connection.ts';
import { refundWorkflowId } from '../../workflows/ids.ts';
import type { Part, Product } from '../support/product.ts';
import { refundFace } from '../support/refund-faces.ts';
import type { FaceName, RefundAnswer, RefundFace } from '../support/refund-faces.ts';
import type { PlannedCharge, PlannedFault, PlannedOrder } from './fault-plan.ts';
import { merchantBackend, PATIENCE } from './merchant-backend.ts';
import type { MerchantBackend } from './merchant-backend.ts';
import { providerSide } from './provider-side.ts';
import type { ProviderSide } from './provider-side.ts';

/** The merchant all refunds of a run are asked by. */
export const MERCHANT_ID = 'merchant_demo';

/** How many orders are played at once: a provider call that waits for the processor would meet its deadline without any fault. */
const AT_ONCE = 12;

/** A refund that was asked for, and how its caller was answered at first. */
export interface AskedRefund {
  readonly refundId: string;
  readonly answer: RefundAnswer;
  /** The same request once more, with its key. */
  readonly askAgain: () => Promise<RefundAnswer>;
}

/** A fault that was armed, by the id the sandbox gave it. */
interface ArmedFault {
  readonly id: number;
  readonly fault: PlannedFault;
}

/** An order as it was played. Charges are in the order of the plan. */
export interface PlayedOrder {
  readonly planned: PlannedOrder;
  readonly orderId: string;
  readonly chargeIds: readonly string[];
  readonly refunds: readonly AskedRefund[];
  readonly armed: readonly ArmedFault[];
}

interface Stage {
  readonly product: Product;
  readonly backend: MerchantBackend;
  readonly faces: Readonly<Record<FaceName, RefundFace>>;
  readonly provider: ProviderSide;
  readonly temporal: TemporalClient;
}

/**
 * Plays a plan on a running product: creates the orders and payments, arms their faults, asks for their refunds by the face of each, and kills both
 * Worker processes with -9, one after the other, while they have sends in their hands. Resolves when every caller has had a first answer.
 */
export async function playFaults(product: Product, plan: readonly PlannedOrder[]): Promise<readonly PlayedOrder[]> {
  const temporal = await connectClient({ address: product.temporal.address, namespace: 'default' });
  const faces = { conekta: refundFace('conekta', product), gateway: refundFace('gateway', product) };
  const stage = { product, backend: merchantBackend(product.apiUrl), faces, provider: providerSide(product.sandboxUrl), temporal };
  const ofPart = (part: PlannedOrder['part']): PlannedOrder[] => plan.filter((order) => order.part === part);
  try {
    const bystanders = playAll(stage, ofPart('bystander'));
    const victims = await killWorkers(stage, ofPart('victim'));
    const calm = await playAll(stage, ofPart('calm'));
    return [...await Promise.all(victims), ...await bystanders, ...calm];
  } finally {
    await temporal.close();
  }
}

async function playAll(stage: Stage, orders: readonly PlannedOrder[]): Promise<readonly PlayedOrder[]> {
  const waiting = [...orders];
  const played: PlayedOrder[] = [];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) played.push(await (await begin(stage, next)).finished);
  }));
  return played;
}

/** An order whose refunds are being asked for. */
interface BegunOrder {
  readonly orderId: string;
  /** By the plan's order of refunds. */
  readonly keys: readonly string[];
  readonly armed: readonly ArmedFault[];
  readonly finished: Promise<PlayedOrder>;
}

async function begin(stage: Stage, planned: PlannedOrder): Promise<BegunOrder> {
  const face = stage.faces[planned.face];
  const { orderId, chargeIds } = await pay(stage, planned);
  const armed = await armAll(stage, planned.charges, chargeIds, 'before_asking');
  const keys = planned.refundsMinor.map(() => randomUUID());
  const asking = Promise.all(planned.refundsMinor.map(async (amountMinor, index): Promise<AskedRefund> => {
    const key = keys[index] ?? '';
    const askAgain = (): Promise<RefundAnswer> => face.refund({ orderId }, amountMinor === null ? {} : { amountMinor }, key);
    return { refundId: deriveRefundId(MERCHANT_ID, orderId, key), answer: await askAgain(), askAgain };
  }));
  const finish = async (): Promise<PlayedOrder> => {
    const later = planned.charges.some(({ faults }) => faults.some((fault) => fault.armed === 'for_the_look'))
      ? untilUsedUp(stage, armed).then(() => armAll(stage, planned.charges, chargeIds, 'for_the_look')) : [];
    const [refunds, forTheLook] = await Promise.all([asking, later]);
    return { planned, orderId, chargeIds, refunds, armed: [...armed, ...forTheLook] };
  };
  return { orderId, keys, armed, finished: finish() };
}

/** Only an order can have several charges. */
async function pay({ backend, faces }: Stage, { face, charges }: PlannedOrder): Promise<Pick<PlayedOrder, 'orderId' | 'chargeIds'>> {
  const [amountMinor = 0, ...others] = charges.map((charge) => charge.amountMinor);
  if (others.length > 0) return backend.createSplitOrder([amountMinor, ...others]);
  const { orderId, chargeId } = await faces[face].pay(amountMinor);
  return { orderId, chargeIds: [chargeId] };
}

async function armAll({ provider }: Stage, charges: readonly PlannedCharge[], chargeIds: readonly string[], when: PlannedFault['armed']): Promise<readonly ArmedFault[]> {
  const armed: ArmedFault[] = [];
  for (const [index, { faults }] of charges.entries()) {
    for (const fault of faults.filter((candidate) => candidate.armed === when)) {
      const { operation, mode, times, delayMs } = fault;
      armed.push({ id: await provider.arm({ operation, mode, times, delay_ms: delayMs, charge_id: chargeIds[index] ?? '' }), fault });
    }
  }
  return armed;
}

async function untilUsedUp({ provider }: Stage, armed: readonly ArmedFault[]): Promise<void> {
  await vi.waitFor(async () => {
    const left = await provider.left();
    expect(armed.filter(({ id }) => left.has(id))).toEqual([]);
  }, PATIENCE);
}

/** Kills the Workers that have the victims' sends in their hands: half of the victims for the one, half for the other. Both are back when this resolves. */
async function killWorkers(stage: Stage, victims: readonly PlannedOrder[]): Promise<readonly Promise<PlayedOrder>[]> {
  const half = Math.ceil(victims.length / 2);
  const killed: Part[] = [];
  const finished: Promise<PlayedOrder>[] = [];
  for (const some of [victims.slice(0, half), victims.slice(half)]) {
    const begun = await Promise.all(some.map((order) => begin(stage, order)));
    finished.push(...begun.map((order) => order.finished));
    await untilUsedUp(stage, begun.flatMap(({ armed }) => armed));
    const worker = await workerSending(stage, begun);
    await worker.program.kill9();
    killed.push(worker);
  }
  await Promise.all(killed.map((worker) => worker.restart()));
  return finished;
}

/** A Worker that has the call of one of these orders in its hands. */
async function workerSending({ product, temporal }: Stage, orders: readonly BegunOrder[]): Promise<Part> {
  const pids = await Promise.all(orders.map(async ({ orderId, keys }) => {
    const { raw } = await temporal.client.workflow.getHandle(refundWorkflowId(MERCHANT_ID, deriveRefundId(MERCHANT_ID, orderId, keys[0] ?? ''))).describe();
    return Number(raw.pendingActivities?.[0]?.lastWorkerIdentity?.split('@')[0]);
  }));
  const worker = product.workers.find(({ program }) => pids.includes(program.pid));
  if (worker === undefined) throw new Error('no Worker has the call of a victim');
  return worker;
}

/** How often each mode of each operation hit a call over each face: `gateway refund timeout` → 3. Call it before the sandbox forgets what is armed. */
export async function countHits({ sandboxUrl }: Product, played: readonly PlayedOrder[]): Promise<ReadonlyMap<string, number>> {
  const left = await providerSide(sandboxUrl).left();
  const hits = new Map<string, number>();
  for (const { planned, armed } of played) {
    for (const { id, fault } of armed) {
      const name = `${planned.face} ${fault.operation} ${fault.mode}`;
      hits.set(name, (hits.get(name) ?? 0) + fault.times - (left.get(id) ?? 0));
    }
  }
  return hits;
}
