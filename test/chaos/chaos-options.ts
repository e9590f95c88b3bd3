import { parseArgs } from 'node:util';

/** What one run of the fault rig is asked to do. */
export interface ChaosOptions {
  /** The first run's seed; the same one plans the same run. */
  readonly seed: number;
  /** How many runs, each with the seed after the one before. */
  readonly runs: number;
  /** Refunds to be asked for, each with a key of its own. */
  readonly refunds: number;
  readonly payouts: number;
  /** Faults to be armed at the provider. */
  readonly faults: number;
  readonly workerKills: number;
  /** Kills of API processes, the Temporal server, PostgreSQL and the sandbox. */
  readonly serverKills: number;
  /** How refunds are sent: by the product, or by plain Activity retries, which pay twice. */
  readonly protocol: 'safe' | 'naive';
  /** File for the report as JSON. */
  readonly json: string | null;
}

/** What to do with a command line. */
export type ChaosCommand = { readonly kind: 'run'; readonly options: ChaosOptions } | { readonly kind: 'help' } | { readonly kind: 'wrong'; readonly problems: readonly string[] };

const PROTOCOLS = ['safe', 'naive'] as const;

/** The whole numbers, and the least and the most that makes sense. */
const NUMBERS = {
  seed: { least: 0, most: 2 ** 31 - 1, means: 'plans the run; the same seed repeats it (default: drawn)' },
  runs: { least: 1, most: 1000, means: 'so many runs, each with the next seed (default 1)' },
  refunds: { least: 1, most: 100_000, means: 'refunds to ask for (default 190)' },
  payouts: { least: 0, most: 100_000, means: 'payout orders to create (default 110)' },
  faults: { least: 0, most: 1_000_000, means: 'faults to arm at the provider (default: 123 for 100 operations)' },
  'worker-kills': { least: 0, most: 100_000, means: 'times that a worker is killed with -9 (default: 20 for 100 operations)' },
  'server-kills': { least: 0, most: 100_000, means: 'the same for API, Temporal, PostgreSQL and sandbox (default: 5 for 100 operations)' },
} as const;

/** What is usual for one refund or payout order. */
const USUAL = { faults: 1.23, workerKills: 0.2, serverKills: 0.05 };

type NumberName = keyof typeof NUMBERS;

/** How the command is used. */
export const USAGE = `Usage: npm run chaos -- [options]

Runs the shipped programs on a PostgreSQL and a Temporal server of their own, with faults and kill -9, and checks what both sides say afterwards.
Ends with 0 when nothing was violated and everything was hit often enough, with 1 when not, with 2 when it could not run.

${(Object.keys(NUMBERS) as NumberName[]).map((name) => `  --${name.padEnd(14)} ${NUMBERS[name].means}`).join('\n')}
  --protocol       safe, or naive: refunds sent by plain Activity retries, which must be seen to pay twice (default safe)
  --json           file for the report as JSON
  --help           this page
`;

/** Reads the command line. Pure but for the seed that is drawn when none is given. Every problem is named at once. */
export function parseOptions(args: readonly string[]): ChaosCommand {
  let values: Readonly<Record<string, string | boolean | undefined>>;
  try {
    const text = { type: 'string' } as const;
    const numbers = Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, text]));
    ({ values } = parseArgs({ args: [...args], strict: true, options: { ...numbers, protocol: text, json: text, help: { type: 'boolean' } } }));
  } catch (error) {
    return { kind: 'wrong', problems: [error instanceof Error ? error.message : String(error)] };
  }
  if (values['help'] === true) return { kind: 'help' };
  const problems: string[] = [];
  const number = (name: NumberName, usual: number): number => readNumber(name, values[name], usual, problems);
  const protocol = PROTOCOLS.find((known) => known === (values['protocol'] ?? 'safe'));
  if (protocol === undefined) problems.push(`--protocol: "${String(values['protocol'])}" is neither safe nor naive`);
  const [refunds, payouts] = [number('refunds', 190), number('payouts', 110)];
  const usually = (perOperation: number): number => Math.round((refunds + payouts) * perOperation);
  const options: ChaosOptions = {
    seed: number('seed', Math.floor(Math.random() * 1_000_000)), runs: number('runs', 1), refunds, payouts, faults: number('faults', usually(USUAL.faults)),
    workerKills: number('worker-kills', usually(USUAL.workerKills)), serverKills: number('server-kills', usually(USUAL.serverKills)),
    protocol: protocol ?? 'safe', json: typeof values['json'] === 'string' ? values['json'] : null,
  };
  if (options.json === '') problems.push('--json: expected the name of a file');
  return problems.length > 0 ? { kind: 'wrong', problems } : { kind: 'run', options };
}

function readNumber(name: NumberName, given: string | boolean | undefined, usual: number, problems: string[]): number {
  const { least, most } = NUMBERS[name];
  if (given === undefined) return usual;
  const value = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (value >= least && value <= most) return value;
  problems.push(`--${name}: "${String(given)}" is no whole number from ${least} to ${most}`);
  return least;
}
