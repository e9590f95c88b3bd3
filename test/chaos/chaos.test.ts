import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHARED_POSTGRES } from '../support/postgres.ts';
import { startNodeProgram } from '../support/processes.ts';
import { isFullSample } from '../support/sample-size.ts';
import { sumFaults } from './figures.ts';
import type { RunFigures } from './figures.ts';

/** Plans the runs; the same one plans them again. */
const SEED = 20_007;
const RIG = fileURLToPath(new URL('./run-chaos.ts', import.meta.url));
/** Far more than a run takes on two cores that have nothing else to do. */
const TIMEOUT_MS = 600_000;
/** The same plan's first operations, with faults in proportion, and fewer kills. */
const BEGINNING = ['--refunds', '60', '--payouts', '35', '--worker-kills', '8', '--server-kills', '3'];

let directory = '';
beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'reintegro-chaos-')); });
afterAll(() => rm(directory, { recursive: true, force: true }));

/** What the command came to. */
interface RigRun {
  readonly code: number | null;
  readonly output: string;
  /** Empty when it made no report. */
  readonly runs: readonly RunFigures[];
}

async function runRig(name: string, args: readonly string[]): Promise<RigRun> {
  const json = join(directory, `${name}.json`);
  const program = await startNodeProgram(RIG, [...args, '--json', json]);
  try {
    const { code } = await program.exited;
    await program.outputEnded;
    const report = await readFile(json, 'utf8').catch(() => '{"runs":[]}');
    return { code, output: program.lines().join('\n'), runs: (JSON.parse(report) as Pick<RigRun, 'runs'>).runs };
  } finally {
    await program.stop();
  }
}

/** The one run that a command made, which ended with this code. */
function onlyRun({ code, output, runs }: RigRun, expectedCode: number): RunFigures {
  const [run] = runs;
  if (run === undefined || runs.length !== 1 || code !== expectedCode) throw new Error(`ended with ${code}, ${expectedCode} was expected:\n${output}`);
  return run;
}

describe('npm run chaos', () => {
  it('should say what is wrong with its options, how it is used, and end with 2', async () => {
    const { code, output } = await runRig('wrong', ['--faults', 'many', '--protocol', 'lucky']);
    expect(code).toBe(2);
    expect(output).toContain('--faults: "many" is no whole number');
    expect(output).toContain('--protocol: "lucky" is neither safe nor naive');
    expect(output).toContain('Usage: npm run chaos');
  });
});

// Short runs wait as much as they work: side by side. The whole one wants the machine for itself.
describe.skipIf(process.env[SHARED_POSTGRES] === undefined)(`npm run chaos -- --seed ${SEED}`, { concurrent: !isFullSample() }, () => {
  it.runIf(isFullSample())('should violate nothing in 300 refunds and payout orders under 250 faults, 60 kills of workers and 15 of servers (I1, I2, I3, I4, I5, I6, I7, I8)', { timeout: TIMEOUT_MS }, async () => {
    const { operations, faults, kills, replayed, violations } = onlyRun(await runRig('whole', ['--seed', String(SEED)]), 0);
    expect(violations).toEqual([]);
    expect(operations.refunds + operations.payouts).toBeGreaterThanOrEqual(300);
    expect(sumFaults(faults).hit).toBeGreaterThanOrEqual(250);
    const { worker, ...servers } = kills;
    expect(worker).toBeGreaterThanOrEqual(60);
    expect(Object.values(servers).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(15);
    for (const [server, count] of Object.entries(servers)) expect(count, server).toBeGreaterThan(0);
    expect(replayed).toBeGreaterThanOrEqual(300);
  });

  it.skipIf(isFullSample())('should violate nothing in the first of these refunds and payout orders (I1, I2, I3, I4, I5, I6, I7, I8)', { timeout: TIMEOUT_MS }, async () => {
    const { operations, faults, kills, violations } = onlyRun(await runRig('beginning', ['--seed', String(SEED), ...BEGINNING]), 0);
    expect(violations).toEqual([]);
    expect(operations).toMatchObject({ refunds: 60, payouts: 35 });
    expect(sumFaults(faults).hit).toBeGreaterThanOrEqual(70);
    expect(kills.worker).toBe(8);
  });

  it('should show double payments once plain Activity retries send the refunds, and end with 1 (I1)', { timeout: TIMEOUT_MS }, async () => {
    const { violations } = onlyRun(await runRig('naive', ['--seed', String(SEED), ...BEGINNING, '--protocol', 'naive']), 1);
    const paidTwice = violations.filter(({ rule, what }) => rule === 'I1' && what.includes('moved'));
    expect(paidTwice.length).toBeGreaterThanOrEqual(5);
  });
});
