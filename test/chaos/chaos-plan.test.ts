import { describe, expect, it } from 'vitest';
import { READ_MODES, REFUND_MODES } from '../e2e/fault-plan.ts';
import { FACE_NAMES } from '../support/refund-faces.ts';
import { parseOptions } from './chaos-options.ts';
import type { ChaosOptions } from './chaos-options.ts';
import { planChaos } from './chaos-plan.ts';
import type { ChaosPlan } from './chaos-plan.ts';
import { PAYOUT_MODES, WEBHOOK_MODES } from './plan-faults.ts';
import { STORIES } from './plan-payouts.ts';

/** The options of a command line that must be good. */
function optionsOf(line: string): ChaosOptions {
  const command = parseOptions(line.split(' '));
  if (command.kind !== 'run') throw new Error(`${line}: ${JSON.stringify(command)}`);
  return command.options;
}

const faultsOf = ({ orders, payouts }: ChaosPlan): readonly { readonly operation: string; readonly mode: string; readonly times: number }[] => [...orders, ...payouts].flatMap(({ faults }) => [...faults]);

describe('parseOptions', () => {
  it('should make a short run of no options, and draw its seed', () => {
    expect(optionsOf('--seed 7')).toEqual({ seed: 7, runs: 1, refunds: 190, payouts: 110, faults: 369, workerKills: 60, serverKills: 15, protocol: 'safe', json: null });
    expect(parseOptions([])).toMatchObject({ kind: 'run', options: { seed: expect.any(Number) as number } });
  });

  it('should take faults and kills in proportion to the operations', () => {
    expect(optionsOf('--seed 7 --refunds 20 --payouts 0')).toMatchObject({ faults: 25, workerKills: 4, serverKills: 1 });
  });

  it('should take every option', () => {
    expect(optionsOf('--seed 1 --runs 2 --refunds 3 --payouts 4 --faults 5 --worker-kills 6 --server-kills 7 --protocol naive --json out.json'))
      .toEqual({ seed: 1, runs: 2, refunds: 3, payouts: 4, faults: 5, workerKills: 6, serverKills: 7, protocol: 'naive', json: 'out.json' });
  });

  it.each([
    ['--seed=-1', ['--seed: "-1"']], ['--refunds 0', ['--refunds: "0"']], ['--faults 1.5', ['--faults: "1.5"']], ['--payouts x --runs 0', ['--payouts: "x"', '--runs: "0"']],
    ['--protocol clever', ['--protocol: "clever"']], ['--refund 1', ['--refund']], ['12', ['12']], ['--json=', ['--json']],
  ])('should say what is wrong with %s', (line, named) => {
    const command = parseOptions(line.split(' '));
    expect(command.kind).toBe('wrong');
    for (const name of named) expect(command.kind === 'wrong' ? command.problems.join('\n') : '').toContain(name);
  });

  it('should show its usage when asked', () => {
    expect(parseOptions(['--help'])).toEqual({ kind: 'help' });
  });
});

describe('planChaos', () => {
  const options = optionsOf('--seed 7');
  const plan = planChaos(options);

  it('should plan the same for the same seed, and something else for another', () => {
    expect(planChaos(options)).toEqual(plan);
    expect(planChaos(optionsOf('--seed 8'))).not.toEqual(plan);
  });

  it('should plan as many operations, faults and kills as it is asked for, or a few more of the faults', () => {
    expect(plan.orders.flatMap(({ asks }) => asks)).toHaveLength(190);
    expect(plan.payouts).toHaveLength(110);
    expect(plan.kills.workers).toHaveLength(60);
    expect(plan.kills.servers).toHaveLength(15);
    const faults = faultsOf(plan).reduce((sum, { times }) => sum + times, 0);
    expect(faults).toBeGreaterThanOrEqual(369);
    expect(faults).toBeLessThan(369 * 1.1);
  });

  it('should begin a longer run as a shorter one of the same proportions', () => {
    const shorter = planChaos(optionsOf('--seed 7 --refunds 95 --payouts 55'));
    const bare = ({ orders }: ChaosPlan) => orders.map((order) => ({ ...order, faults: [] }));
    // The last one is made to fit.
    expect(bare(plan).slice(0, shorter.orders.length - 3)).toEqual(bare(shorter).slice(0, -3));
  });

  it('should plan every shape, story, kind of kill and class of faults over both faces', () => {
    for (const face of FACE_NAMES) {
      const modes = plan.orders.filter((order) => order.face === face).flatMap(({ faults }) => faults.filter(({ operation }) => operation === 'refund').map(({ mode }) => mode));
      expect(new Set(modes)).toEqual(new Set(REFUND_MODES.map(({ mode }) => mode)));
    }
    const modesOf = (operation: string): ReadonlySet<string> => new Set(faultsOf(plan).filter((fault) => fault.operation === operation).map(({ mode }) => mode));
    for (const operation of ['refund.find', 'order.get']) expect(modesOf(operation)).toEqual(new Set(READ_MODES));
    for (const operation of ['payout.create', 'payout.cancel']) expect([...modesOf(operation)].filter((mode) => mode === 'late_failure' || PAYOUT_MODES.some((known) => known === mode)).length).toBeGreaterThanOrEqual(8);
    expect(modesOf('webhook')).toEqual(new Set(WEBHOOK_MODES));
    expect(new Set(plan.orders.map(({ shape }) => shape))).toEqual(new Set(['lone', 'equals', 'split', 'rivals', 'steered']));
    expect(new Set(plan.orders.map(({ steering }) => steering))).toEqual(new Set(['none', 'cancel_race', 'approve', 'reject', 'cancel', 'reject_race']));
    expect(new Set(plan.payouts.map(({ story }) => story))).toEqual(new Set(STORIES));
    expect(new Set(plan.kills.servers.map(({ part }) => part))).toEqual(new Set(['api', 'temporal', 'postgres', 'sandbox']));
  });

  it('should kill the workers in turn and in bursts, now and then both at once, and never one that has only just been killed', () => {
    const { workers } = plan.kills;
    for (const [nth, { index, after }] of workers.entries()) {
      expect(index).toBe(nth % 2);
      if (after === 'nothing') expect(workers[nth - 1]?.after).not.toBe('nothing');
    }
    expect(workers[0]?.after).toBe('work');
    const begun = workers.flatMap(({ after }, nth) => (after === 'work' ? [nth] : []));
    for (const [nth, first] of begun.entries()) expect((begun[nth + 1] ?? first + 4) - first).toBeOneOf([4, 5, 6, 7, 8]);
    expect(workers.filter(({ after }) => after === 'nothing').length).toBeGreaterThanOrEqual(12);
  });

  it('should let no webhook get lost that alone would tell of a late failure, and report withdrawals of which none tells', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { orders, payouts } = planChaos(options, seed);
      for (const { faults } of [...orders, ...payouts]) expect(faults.map(({ mode }) => mode)).not.toEqual(expect.arrayContaining(['late_failure', 'drop']));
      for (const { faults, isReported } of payouts) if (faults.some(({ mode }) => mode === 'drop')) expect(isReported).toBe(true);
    }
  });
});
