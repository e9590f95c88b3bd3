import fc from 'fast-check';
import { FACE_NAMES } from '../support/refund-faces.ts';
import type { FaceName } from '../support/refund-faces.ts';

/** How long a call to the provider may take, and how long the provider may then still commit it, milliseconds. Short, so that a run ends soon. */
export const PROVIDER_TIMEOUT_MS = 1500;
export const SETTLE_DELAY_MS = 3000;

/**
 * A request executed late is executed after its answer was lost, in the last third of the settle delay: a look without that delay would come
 * before it, though the Temporal server takes its time for timers and tasks. Milliseconds after it came in.
 */
const LATE_FROM_MS = PROVIDER_TIMEOUT_MS + 2000;
/** The latest that a request of a run is executed, milliseconds after it came in. */
export const LATEST_COMMIT_MS = PROVIDER_TIMEOUT_MS + SETTLE_DELAY_MS - 300;

/** How a refund rests. `case`: it waits for a human. */
export type Ending = 'refunded' | 'partial' | 'rejected' | 'case';

/** A way in which the provider fails a refund. */
export interface RefundMode {
  readonly mode: string;
  /** Whether the provider executes the refund: not at all, before the answer is lost, or after it; or whether it answers, and goes on later. */
  readonly moment: 'before' | 'after' | 'late' | 'answered';
  /** How a lone refund ends after so many of these in a row. */
  readonly ends: (times: number) => Ending;
}

const refunded = (): Ending => 'refunded';
/** The longest row of unknown sends that is still sent again; the next one is a case (S4). */
const untilCase = (times: number): Ending => (times < 3 ? 'refunded' : 'case');

/** Every fault mode of `refund` (docs/sandbox.md), and what has to become of a refund that meets it. A mode more is a line more. */
export const REFUND_MODES: readonly RefundMode[] = [
  { mode: 'decline', moment: 'before', ends: () => 'rejected' },
  { mode: 'unavailable', moment: 'before', ends: untilCase },
  { mode: 'hang', moment: 'before', ends: untilCase },
  { mode: 'rate_limited', moment: 'before', ends: refunded },
  { mode: 'timeout', moment: 'after', ends: refunded },
  { mode: 'error_after', moment: 'after', ends: refunded },
  { mode: 'reset', moment: 'after', ends: refunded },
  { mode: 'truncated', moment: 'after', ends: refunded },
  { mode: 'late_commit', moment: 'late', ends: refunded },
  { mode: 'async', moment: 'answered', ends: refunded },
  { mode: 'late_failure', moment: 'answered', ends: () => 'rejected' },
  { mode: 'async_failure', moment: 'answered', ends: () => 'rejected' },
];

/** Every fault mode of a reading operation: none of them may change how a refund ends. */
export const READ_MODES = ['decline', 'unavailable', 'timeout', 'hang', 'late_commit', 'error_after', 'reset', 'truncated', 'rate_limited'] as const;

/** The reading operations: both `GET /orders/{id}` at Conekta; at the gateway the refund by our reference, and the payment. */
const READ_OPERATIONS = ['refund.find', 'order.get'] as const;

/** A fault to arm for one charge. */
export interface PlannedFault {
  readonly operation: 'refund' | (typeof READ_OPERATIONS)[number];
  readonly mode: string;
  readonly times: number;
  readonly delayMs: number;
  /** Whether it is armed before the refund is asked for, or once the send has met its own fault, for the look that follows. */
  readonly armed: 'before_asking' | 'for_the_look';
}

/** A charge to be paid, and what will go wrong with it. */
export interface PlannedCharge {
  readonly amountMinor: number;
  readonly faults: readonly PlannedFault[];
}

/** An order or payment, the refunds asked of it, all at once, and how each of them has to end where the plan knows. */
export interface PlannedOrder {
  readonly name: string;
  /** Over which face it is refunded; under the gateway's it is a payment, with the one charge that it is itself. */
  readonly face: FaceName;
  readonly charges: readonly PlannedCharge[];
  /** Amounts in minor units; `null` for all that remains. */
  readonly refundsMinor: readonly (number | null)[];
  readonly ending: Ending | null;
  /**
   * `victim`: a Worker that has one of their first sends in its hands is killed with -9. `bystander`: under way meanwhile, so that its sends and
   * looks may be lost as well. `calm`: asked for when the Workers are back.
   */
  readonly part: 'victim' | 'bystander' | 'calm';
}

const amount = fc.noBias(fc.integer({ min: 10, max: 400 })).map((hundreds) => hundreds * 100);
// Without bias: the earliest of all late moments would hardly be late.
const delayMs = fc.noBias(fc.integer({ min: LATE_FROM_MS, max: LATEST_COMMIT_MS }));
const anyMode = fc.constantFrom(...REFUND_MODES);

const send = (mode: string, times: number) => delayMs.map((delay): PlannedFault => ({ operation: 'refund', mode, times, delayMs: mode === 'rate_limited' ? 0 : delay, armed: 'before_asking' }));
const read = (operation: PlannedFault['operation'], mode: string, times: number, armed: PlannedFault['armed']): PlannedFault => ({ operation, mode, times, delayMs: 0, armed });

/** An order as it is planned for either face. */
type FacelessOrder = Omit<PlannedOrder, 'face'>;

/** One charge and one refund: of less than a third, so that nothing but the protocol keeps it from being paid twice, or of all. */
function lone(name: string, faults: fc.Arbitrary<readonly PlannedFault[]>, share: 'part' | 'all', ending: Ending | null, part: PlannedOrder['part'] = 'calm'): fc.Arbitrary<FacelessOrder> {
  return fc.record({ amountMinor: amount, faults }).map(({ amountMinor, faults: armed }) => ({
    name: `${name}, ${share}`, charges: [{ amountMinor: amountMinor * 4, faults: armed }], refundsMinor: [share === 'part' ? amountMinor : null], ending, part,
  }));
}

/** Sends that are not executed and leave no answer: one too many of them in a row is a case, behind which others would wait for a human. */
const isSilent = ({ mode }: RefundMode): boolean => mode === 'unavailable' || mode === 'hang';

/** Each mode alone and twice; three times where that is a case. */
const repeated = REFUND_MODES.flatMap((row) => (isSilent(row) ? [1, 2, 3] : [1, 2]).map((times) => ({ ...row, times }))).map(({ mode, ends, times }) =>
  lone(`${mode} × ${times}`, send(mode, times).map((fault) => [fault]), times === 2 ? 'all' : 'part', ends(times)));

/** A mode on the first charge and any on the second; all of both is refunded, so that there are two legs. A payment has one. */
const split = REFUND_MODES.map(({ mode, ends }) => anyMode.chain((other) => fc.record({ first: send(mode, 1), second: send(other.mode, 1), amounts: fc.tuple(amount, amount) })
  .map(({ first, second, amounts }): FacelessOrder => ({
    name: `split, ${mode} and ${other.mode}`, refundsMinor: [null], part: 'calm', ending: together(ends(1), other.ends(1)),
    charges: amounts.map((amountMinor, index) => ({ amountMinor, faults: [index === 0 ? first : second] })),
  }))));

function together(left: Ending, right: Ending): Ending {
  return left === right ? left : 'partial';
}

/** Equal refunds of one charge at once, of which some meet a mode of each row: one after the other at Conekta, all together at the gateway. */
const equals = REFUND_MODES.map(({ mode }) => fc.tuple(amount, fc.array(anyMode, { minLength: 1, maxLength: 2 }).filter((modes) => modes.filter(isSilent).length < 2))
  .chain(([amountMinor, others]) => fc.tuple(send(mode, 1), ...others.map((other) => send(other.mode, 1))).map((faults): FacelessOrder => ({
    name: `equal parts, ${faults.map((fault) => fault.mode).join(', ')}`, charges: [{ amountMinor: amountMinor * 5, faults }],
    refundsMinor: [amountMinor, amountMinor, amountMinor], ending: null, part: 'bystander',
  }))));

/** A lost answer, and then a look that fails: of a refund that was executed, and of one that was not. */
const looksBy = (operations: readonly PlannedFault['operation'][]) => READ_MODES.flatMap((mode) => operations.map((operation) => fc.record({ base: anyMode.filter(isUnknown), times: fc.integer({ min: 1, max: 3 }) })
  .chain(({ base, times }) => lone(`${base.mode}, then ${operation} ${mode} × ${times}`, send(base.mode, 1).map((fault) => [fault, read(operation, mode, times, 'for_the_look')]), 'part', 'refunded'))));

function isUnknown({ mode, moment }: RefundMode): boolean {
  return moment !== 'answered' && mode !== 'decline' && mode !== 'rate_limited';
}

/** An order that cannot be read before the first send. */
const unread = READ_MODES.map((mode) => lone(`order.get ${mode} × 2, before the send`, fc.constant([read('order.get', mode, 2, 'before_asking')]), 'part', 'refunded'));

/** Sends whose Worker is killed: for each moment two. None of them is answered while its Worker lives. */
const killed = ['hang', 'timeout', 'late_commit', 'hang', 'timeout', 'late_commit']
  .map((mode) => lone(`${mode}, Worker killed`, send(mode, 1).map((fault) => [fault]), 'part', 'refunded', 'victim'));

/** The same over a face, with plans of its own. */
const over = (face: FaceName) => (order: fc.Arbitrary<FacelessOrder>): fc.Arbitrary<PlannedOrder> => order.map((plan) => ({ ...plan, face, name: `${face}: ${plan.name}` }));

/** The orders and payments of one run, mixed. The same seed plans the same run. */
export function planFaults(seed: number): readonly PlannedOrder[] {
  const both = [...repeated, ...equals, ...unread, ...killed];
  // A look at the gateway begins with the read that `unread` fails; what it adds is the question for our reference.
  const own = [...[...split, ...looksBy(READ_OPERATIONS)].map(over('conekta')), ...looksBy(['refund.find']).map(over('gateway'))];
  const all = fc.tuple(...FACE_NAMES.flatMap((face) => both.map(over(face))), ...own).chain((orders) => fc.shuffledSubarray(orders, { minLength: orders.length }));
  return fc.sample(all, { seed, numRuns: 1 })[0] ?? [];
}
