/**
 * The bench: `npm run bench [-- --parts units,orders,payouts,start --rounds 5 --seconds 5 --clients 1,8,32 --units bare,refund-http
 * --payouts 10000 --cache 50,200,1000 --json file]`. Runs the shipped processes on loopback and prints a report in Markdown; progress goes to
 * standard error. Ends with status 1 when more than 1 % of the operations failed.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, homedir } from 'node:os';
import { cacheDirectory } from '../src/embedded/cache-directory.ts';
import { resolveTemporalCli } from '../src/embedded/temporal-cli.ts';
import { parseOptions, USAGE } from './bench-options.ts';
import type { BenchOptions } from './bench-options.ts';
import { renderReport } from './report.ts';
import { hasFailed, runBench } from './run-bench.ts';
import { buildIfStale } from './shipped-build.ts';
import { Undo } from './undo.ts';

const begun = performance.now();
const undo = new Undo();

function say(line: string): void {
  const seconds = Math.floor((performance.now() - begun) / 1000);
  console.error(`${String(Math.floor(seconds / 60)).padStart(3)}m${String(seconds % 60).padStart(2, '0')}s ${line}`);
}

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(USAGE);
  const options = optionsOf(args);
  if (options === null) return undefined;
  const { env } = process;
  const temporalCli = await resolveTemporalCli({
    explicitPath: env['TEMPORAL_CLI_PATH'], pathVariable: env['PATH'], onProgress: say,
    cacheDir: cacheDirectory({ explicit: env['REINTEGRO_CACHE_DIR'], xdgCacheHome: env['XDG_CACHE_HOME'], homeDirectory: homedir() }),
  });
  // gRPC clients would ask a proxy even for servers on loopback.
  env['no_proxy'] = [env['no_proxy'], 'localhost', '127.0.0.1'].filter(Boolean).join(',');
  buildIfStale(say);
  const figures = await runBench(options, temporalCli, undo, say, async (sofar) => {
    if (options.json !== null) await writeFile(options.json, `${JSON.stringify({ cores: availableParallelism(), node: process.version, ...sofar }, null, 2)}\n`);
  });
  say('done');
  console.log(`${availableParallelism()} cores, Node ${process.version}; ${options.rounds} rounds, windows of ${options.seconds} s\n\n${renderReport(figures)}`);
  if (hasFailed(figures)) process.exitCode = 1;
  return undefined;
}

/** The options, or `null` when they are wrong, which is said. */
function optionsOf(args: readonly string[]): BenchOptions | null {
  try {
    return parseOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exitCode = 2;
    return null;
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    say(`${signal}: stopping`);
    // The bench fails at its next step then; what was still being started is stopped as soon as it is there.
    void undo.stop();
  });
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await undo.stop();
}
