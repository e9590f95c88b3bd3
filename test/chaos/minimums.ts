import { REFUND_MODES } from '../e2e/fault-plan.ts';
import { addFaults, sumFaults } from './figures.ts';
import type { RunFigures } from './figures.ts';
import { WEBHOOK_MODES } from './plan-faults.ts';
import { addTallies } from './races.ts';

/** From so many faults that hit on, every class of them must have been met. */
const MANY_FAULTS = 900;
const LEAST_OF_A_CLASS = 20;
/** From so many decided races of a kind on, each side must have won its share. */
const MANY_RACES = 50;
const LEAST_SHARE = 0.2;

/** The classes of faults: the modes, whatever the operation. */
const CLASSES: readonly string[] = [...REFUND_MODES.map(({ mode }) => mode), ...WEBHOOK_MODES];

/**
 * What runs did not meet often enough to prove anything by it. Few faults and few races prove little, and are let pass: then this is empty. The naive
 * protocol has no races and follows nothing. Pure.
 */
export function shortfalls(runs: readonly RunFigures[]): readonly string[] {
  if (runs.some(({ protocol }) => protocol === 'naive')) return [];
  const faults = addFaults(runs.map((run) => run.faults));
  const rare = sumFaults(faults).hit < MANY_FAULTS ? [] : CLASSES.map((mode) => ({ mode, hit: sumFaults(faults, mode).hit })).filter(({ hit }) => hit < LEAST_OF_A_CLASS);
  const races = Object.entries(addTallies(runs.map((run) => run.races))).map(([name, wins]) => ({ name, wins, total: Object.values(wins).reduce((sum, count) => sum + count, 0) }));
  const uneven = races.filter(({ wins, total }) => total >= MANY_RACES && Object.values(wins).some((count) => count < total * LEAST_SHARE));
  return [
    ...rare.map(({ mode, hit }) => `the faults ${mode} hit ${hit} times, ${LEAST_OF_A_CLASS} are asked for`),
    ...uneven.map(({ name, wins }) => `${name}: ${Object.entries(wins).map(([side, count]) => `${side} ${count}`).join(', ')}; each side must win ${LEAST_SHARE * 100} %`),
  ];
}
