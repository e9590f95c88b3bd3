import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { PayoutOrderStatus } from '../../src/domain/payout-order.ts';
import type { Database } from '../../src/store/database.ts';
import { saveMerchant } from '../../src/store/merchants.ts';
import { memoryDatabase } from '../support/database.ts';
import type { Death } from './activity-scene.ts';
import { agree, CONTRADICTIONS, FINAL } from './payout-facts-model.ts';
import { MOVES, type IssueFault, type Move } from './payout-facts-till.ts';
import { MERCHANT, World, type Counters, type Trouble } from './payout-facts-world.ts';

const RUNS = 300;
/** Some ten thousand statements: slow on a busy machine. */
const TIMEOUT_MS = 180_000;

let db: Database;
beforeAll(async () => {
  db = await memoryDatabase();
  await saveMerchant(db, { merchantId: MERCHANT, name: 'Tienda', provider: 'acme' });
});
afterAll(() => db.destroy());

/** One thing that happens: at the provider, on the way from it to us, or by us. */
type Happening =
  | { readonly kind: 'issue'; readonly fault: IssueFault; readonly death: Death | null; readonly look: { readonly early: boolean; readonly loss: boolean } }
  | { readonly kind: 'move'; readonly move: Move }
  /** One of the messages under way arrives; where it is kept, it arrives again some time. */
  | { readonly kind: 'deliver'; readonly pick: number; readonly copies: 1 | 2; readonly keep: boolean }
  | { readonly kind: 'drop'; readonly pick: number }
  /** What the provider shows is so many statuses older than the truth. */
  | { readonly kind: 'cancel' | 'expiry' | 'window' | 'poll'; readonly trouble: Trouble; readonly lag: number }
  | { readonly kind: 'restart' };

const moment = fc.constantFrom<Death['moment']>('before', 'inside', 'after');
const trouble = fc.record<Trouble>({ loss: fc.constantFrom('none', 'none', 'none', 'before', 'after', 'not_sent'), death: fc.option(moment, { freq: 4 }) });
const issue = fc.record({
  kind: fc.constant('issue'), fault: fc.constantFrom<IssueFault>('none', 'none', 'lostAfter', 'lostBefore', 'late', 'declined', 'notSent', 'opens'),
  death: fc.option(fc.record<Death>({ transaction: fc.constantFrom(1, 2), moment }), { freq: 5 }), look: fc.record({ early: fc.boolean(), loss: fc.boolean() }),
} as const);
const issuedAtOnce = fc.constant<Happening>({ kind: 'issue', fault: 'none', death: null, look: { early: false, loss: false } });
const move = fc.record({ kind: fc.constant('move'), move: fc.constantFrom<Move>('begin', 'begin', 'confirm', 'reverse', ...(Object.keys(MOVES) as Move[])) } as const);
const deliver = fc.record({ kind: fc.constant('deliver'), pick: fc.nat(9), copies: fc.constantFrom(1, 2), keep: fc.boolean() } as const);
const drop = fc.record({ kind: fc.constant('drop'), pick: fc.nat(9) } as const);
const act = fc.record({ kind: fc.constantFrom('cancel', 'expiry', 'window', 'window', 'poll'), trouble, lag: fc.constantFrom(0, 0, 1, 2) } as const);
const happening = fc.oneof(
  { weight: 7, arbitrary: move }, { weight: 5, arbitrary: deliver }, { weight: 1, arbitrary: drop }, { weight: 5, arbitrary: act }, { weight: 1, arbitrary: fc.constant({ kind: 'restart' } as const) },
  { weight: 1, arbitrary: issue },
);
/** The provider has it and issues no reference, until it is taken at its word: rare by chance. */
const neverIssued: readonly Happening[] = [
  { kind: 'issue', fault: 'opens', death: null, look: { early: false, loss: false } }, { kind: 'issue', fault: 'none', death: null, look: { early: false, loss: false } },
];
const beginnings = fc.oneof(
  { weight: 12, arbitrary: issuedAtOnce.map((one): readonly Happening[] => [one]) }, { weight: 7, arbitrary: fc.array(issue, { minLength: 1, maxLength: 4 }) }, { weight: 1, arbitrary: fc.constant(neverIssued) },
);
/** What a provider must not do, and what leads there: rare by chance. We look after each move but the last. */
const MISDEEDS: readonly (readonly Move[])[] = [
  ['begin', 'takeBack'], ['begin', 'confirm', 'takeBack'], ['begin', 'confirm', 'reverse'], ['begin', 'reverse', 'honour'], ['cancel', 'honour'], ['expire', 'honour'], ['issue'],
];
const misdeed = fc.constantFrom(...MISDEEDS).map((moves) => moves.flatMap((one, index): readonly Happening[] => [
  ...(index === 0 ? [] : [{ kind: 'poll', trouble: { loss: 'none', death: null }, lag: 0 } as const]), { kind: 'move', move: one },
]));
const stories = fc.tuple(beginnings, fc.array(happening, { minLength: 4, maxLength: 10 }), fc.option(misdeed, { nil: [] })).map((parts): readonly Happening[] => parts.flat());

/** Takes one of the messages under way. */
function take({ till: { outbox } }: World, pick: number, keep: boolean): PayoutOrderStatus | undefined {
  const index = outbox.length === 0 ? 0 : pick % outbox.length;
  return keep ? outbox[index] : outbox.splice(index, 1)[0];
}

async function arrive(world: World, { pick, copies, keep }: Extract<Happening, { kind: 'deliver' }>): Promise<void> {
  const isInOrder = world.till.outbox.length === 0 || pick % world.till.outbox.length === 0;
  const told = take(world, pick, keep);
  if (told === undefined) return;
  if (copies === 2) world.count('message: doubled');
  if (!isInOrder) world.count('message: out of order');
  if (world.isOver) world.count('message: after the end');
  for (let copy = 0; copy < copies; copy += 1) await world.tell(told);
}

/** Acts as the Workflow does: it voids what may be voided, a void of unknown outcome is verified first, and nothing is done after the end. */
async function doAct(world: World, { kind, trouble: asked, lag }: Extract<Happening, { readonly trouble: Trouble }>): Promise<void> {
  if (!world.isIssued) return;
  world.till.lag = lag;
  if (lag > 0 && world.till.history.length > 1) world.count('read: lagging');
  if (world.verifying !== null || kind === 'poll') await world.follow('poll', asked);
  else if (kind === 'window') await (world.ours === 'pending_confirmation' ? world.follow('window_ended', asked) : undefined);
  else if (kind === 'cancel' || world.ours === 'pending') await world.void(kind, asked);
}

async function happen(world: World, one: Happening): Promise<void> {
  switch (one.kind) {
    case 'issue': return world.ours === 'open' && !world.isRefused ? world.issue(one.fault, one.death, one.look) : undefined;
    case 'move': return void world.till.move(one.move);
    case 'deliver': return arrive(world, one);
    case 'drop': {
      if (take(world, one.pick, false) !== undefined) world.count('message: dropped');
      return undefined;
    }
    case 'restart': return world.register();
    case 'cancel': case 'expiry': case 'window': case 'poll': return doAct(world, one);
  }
}

/** Nothing happens any more at the provider, which is read truthfully once: by the Workflow, or where that is over, by its own message. */
async function rest(world: World): Promise<void> {
  world.till.lag = 0;
  for (let round = 0; world.ours === 'open' && !world.isRefused && round < 9; round += 1) await world.issue('none', null, { early: false, loss: false });
  // A reference that is honoured again tells nothing new before somebody collects it: the books have been through `pending` (P6).
  if (world.ours !== 'pending') world.till.move('begin');
  if (world.till.status === 'pending_confirmation') world.till.move('confirm');
  if (world.isIssued) await world.follow('poll', { loss: 'none', death: null });
  else await world.tell(world.till.status ?? 'open');
  // What the provider had put off is done by now: there is one reference at most.
  await world.passTime();
  await world.check();
}

describe('a payout order, whatever happens at the provider, on the way and to us', () => {
  it('should be what the model makes of what the provider showed, and in the end what the provider says or before a person (P1-P6, I1-I4, I6, M7)', async () => {
    const reached: Counters = new Map();
    let runs = 0;
    await fc.assert(fc.asyncProperty(stories, async (story) => {
      runs += 1;
      const world = new World(db, `p-${runs}`, reached);
      await world.register();
      for (const one of story) await happen(world, one);
      await rest(world);
      const { ours, till, cases } = world;
      const theirs = till.status ?? 'open';
      if (cases.size === 0) expect(agree(ours, theirs)).toBe(true);
      // Where the books have caught up, they have what was paid out.
      if (agree(ours, theirs)) expect(ours === 'withdrawn' ? 3_000 : 0).toBe(till.paidOutMinor);
      world.count(`end: ${ours}`);
    }), { numRuns: RUNS, seed: 20_261_121 });
    expect(missing(reached)).toEqual([]);
  }, TIMEOUT_MS);
});

/** What was never reached: a property that never met it would prove nothing about it. */
function missing(reached: Counters): readonly string[] {
  const expected = [
    ...[...FINAL, 'open', 'pending'].map((status) => `end: ${status}`), ...CONTRADICTIONS.map((kind) => `contradiction: ${kind}`),
    ...['lostAfter', 'lostBefore', 'late', 'notSent', 'opens'].map((fault) => `lost: create, ${fault}`), ...['before', 'after', 'not_sent'].map((loss) => `lost: void, ${loss}`), 'lost: find', 'lost: read',
    ...['before', 'inside', 'after'].map((when) => `death: ${when}`), ...['doubled', 'out of order', 'after the end', 'dropped'].map((fate) => `message: ${fate}`), 'read: lagging',
  ];
  return expected.filter((what) => (reached.get(what) ?? 0) < 3);
}
