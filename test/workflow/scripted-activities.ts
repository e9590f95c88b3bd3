import { ApplicationFailure } from '@temporalio/common';

import type { RefundActivities } from '../../activities/contracts.ts';
import { withExecution } from '../../activities/execution.ts';
import type { PayoutActivities } from '../../activities/payout-contracts.ts';

type Activities = RefundActivities & PayoutActivities;
type Name = keyof Activities;
type Input<N extends Name> = Parameters<Activities[N]>[0];
type Answer<N extends Name> = Awaited<ReturnType<Activities[N]>>;

/** One answer of an Activity: the value itself, or what computes it from the input. */
export type Step<N extends Name> = Answer<N> | ((input: Input<N>) => Answer<N> | Promise<Answer<N>>);

/** Activities that answer by script and write down every call. */
export interface Script {
  readonly activities: Activities;
  /** Scripts the answers of one Activity, in order; the last one answers every later call too. */
  on<N extends Name>(name: N, ...steps: readonly Step<N>[]): Script;
  /** The inputs of all calls so far, in the order they began. */
  calls<N extends Name>(name: N): readonly Input<N>[];
  /** Calls for which there was no script: a test that has any is wrong. */
  readonly unscripted: readonly Name[];
}

const NAMES = [
  'reserveRefund', 'enterCheckpoint', 'passCheckpoint', 'takeTurn', 'loseTurn', 'cancelRefund', 'submitRefund', 'findRefund', 'followRefund',
  'reviewRefund', 'resolveLeg', 'recordAct', 'openCase', 'closeCase',
  'registerPayoutOrder', 'issueReference', 'findReference', 'voidReference', 'followPayoutOrder', 'recordPayoutAct',
] as const satisfies readonly Name[];

/** Makes a script. What only writes something down always works unless scripted otherwise. */
export function scriptActivities(): Script {
  const steps = new Map<Name, readonly unknown[]>();
  const calls = new Map<Name, unknown[]>(NAMES.map((name) => [name, []]));
  const unscripted: Name[] = [];
  const answer = async (name: Name, input: unknown): Promise<unknown> => {
    const before = calls.get(name) ?? [];
    const script = steps.get(name) ?? [];
    const step = script[Math.min(before.length, script.length - 1)];
    before.push(input);
    if (script.length === 0) {
      unscripted.push(name);
      throw ApplicationFailure.nonRetryable(`nobody scripted ${name}`);
    }
    return typeof step === 'function' ? (step as (input: unknown) => unknown)(input) : step;
  };
  const script: Script = {
    activities: withExecution(Object.fromEntries(NAMES.map((name) => [name, (input: unknown) => answer(name, input)])) as unknown as Activities),
    on: (name, ...answers) => {
      steps.set(name, answers);
      return script;
    },
    calls: <N extends Name>(name: N) => (calls.get(name) ?? []) as readonly Input<N>[],
    unscripted,
  };
  for (const name of ['openCase', 'closeCase', 'passCheckpoint', 'recordAct', 'recordPayoutAct'] as const) script.on(name, undefined);
  return script.on('enterCheckpoint', { isBeyond: false }).on('cancelRefund', { nextTurns: [] }).on('loseTurn', { nextTurn: null });
}

/** A door for Activities to wait at. */
export interface Latch {
  /** Resolves once it is open. */
  readonly opened: Promise<void>;
  open(): void;
}

/** Makes a closed door. */
export function latch(): Latch {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => { open = resolve; });
  return { opened, open };
}
