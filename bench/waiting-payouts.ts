/**
 * What waiting payout orders cost (P8): `node bench/waiting-payouts.ts [--payouts 10000] [--cache 50,200,1000] [--refunds 200] [--clients 8]
 * [--burst 100] [--rounds 3] [--wakes 40] [--idle 30] [--json file]`. Runs the shipped processes twice on loopback: payout orders wait in one
 * stack, none in the other, and both get the same new work by turns.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, homedir } from 'node:os';
import { cacheDirectory } from '../src/embedded/cache-directory.ts';
import { resolveTemporalCli } from '../src/embedded/temporal-cli.ts';
import { DEFAULT_CACHE, parseOptions } from './bench-options.ts';
import type { BenchOptions } from './bench-options.ts';
import { startBenchStack, Undo } from './bench-stack.ts';
import { renderReport } from './report.ts';
import { runBench } from './run-bench.ts';

const begun = performance.now();
const undo = new Undo();

function say(line: string): void {
  const seconds = Math.floor((performance.now() - begun) / 1000);
  console.error(`${String(Math.floor(seconds / 60)).padStart(3)}m${String(seconds % 60).padStart(2, '0')}s ${line}`);
}

async function main(options: BenchOptions): Promise<void> {
  const { env } = process;
  env['TEMPORAL_CLI_PATH'] = await resolveTemporalCli({
    explicitPath: env['TEMPORAL_CLI_PATH'], pathVariable: env['PATH'], onProgress: say,
    cacheDir: cacheDirectory({ explicit: env['REINTEGRO_CACHE_DIR'], xdgCacheHome: env['XDG_CACHE_HOME'], homeDirectory: homedir() }),
  });
  // gRPC clients would ask a proxy even for servers on loopback.
  env['no_proxy'] = [env['no_proxy'], 'localhost', '127.0.0.1'].filter(Boolean).join(',');
  say('starting two stacks');
  const waiting = await startBenchStack('waiting', DEFAULT_CACHE, undo);
  const control = await startBenchStack('control', DEFAULT_CACHE, undo);
  const figures = await runBench({ waiting, control }, options, say);
  if (options.json !== null) await writeFile(options.json, `${JSON.stringify({ cores: availableParallelism(), node: process.version, ...figures }, null, 2)}\n`);
  say('done');
  console.log(`\n${availableParallelism()} cores, Node ${process.version}, ${options.clients} clients, ${options.rounds} rounds of ${options.refunds} operations\n\n${renderReport(figures)}`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    say(`${signal}: stopping`);
    // The bench fails at its next step then; what was still being started is stopped as soon as it is there.
    void undo.run();
  });
}

try {
  await main(parseOptions(process.argv.slice(2)));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await undo.run();
}
