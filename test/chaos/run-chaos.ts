/** The fault rig: `npm run chaos -- --help`. */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, homedir } from 'node:os';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { cacheDirectory } from '../../src/embedded/cache-directory.ts';
import { resolveTemporalCli } from '../../src/embedded/temporal-cli.ts';
import { parseOptions, USAGE } from './chaos-options.ts';
import type { ChaosOptions } from './chaos-options.ts';
import { runChaos } from './chaos-run.ts';
import type { RunFigures } from './figures.ts';
import { shortfalls } from './minimums.ts';
import { renderRun, renderRuns } from './report.ts';
import { shippedBuild } from './shipped-build.ts';

/** Nothing was violated / something was, or too little was met / it could not run. */
const EXIT = { kept: 0, broken: 1, failed: 2 } as const;

const begun = performance.now();

/** Progress, apart from the report. */
function say(line: string): void {
  const seconds = Math.floor((performance.now() - begun) / 1000);
  console.error(`${String(Math.floor(seconds / 60)).padStart(3)}m${String(seconds % 60).padStart(2, '0')}s ${line}`);
}

/** Makes what the programs under test need to be found by them. */
async function prepareEnvironment(): Promise<void> {
  const { env } = process;
  env['TEMPORAL_CLI_PATH'] = await resolveTemporalCli({
    explicitPath: env['TEMPORAL_CLI_PATH'], pathVariable: env['PATH'], onProgress: say,
    cacheDir: cacheDirectory({ explicit: env['REINTEGRO_CACHE_DIR'], xdgCacheHome: env['XDG_CACHE_HOME'], homeDirectory: homedir() }),
  });
  // gRPC clients would ask a proxy even for servers on loopback.
  env['no_proxy'] = [env['no_proxy'], 'localhost', '127.0.0.1'].filter(Boolean).join(',');
}

async function main(options: ChaosOptions, stopped: AbortSignal): Promise<number> {
  await prepareEnvironment();
  const build = await shippedBuild(say);
  // Replays tell of their failures by what they answer.
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
  const runs: RunFigures[] = [];
  for (let seed = options.seed; seed < options.seed + options.runs; seed += 1) {
    const run = await runChaos(options, seed, build, say, stopped);
    runs.push(run);
    console.log(`\n${renderRun(run)}\n`);
  }
  if (runs.length > 1) console.log(`All ${runs.length} runs:\n\n${renderRuns(runs)}\n`);
  const missing = shortfalls(runs);
  for (const line of missing) console.log(`Too little: ${line}`);
  if (options.json !== null) await writeFile(options.json, `${JSON.stringify({ cores: availableParallelism(), node: process.version, options, shortfalls: missing, runs }, null, 2)}\n`);
  return missing.length > 0 || runs.some(({ violations }) => violations.length > 0) ? EXIT.broken : EXIT.kept;
}

/** Stops what was started when somebody wants the rig to end, or when it is broken itself. */
function stopOnSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      say(`${signal}: stopping`);
      stopping.abort(new Error(`stopped by ${signal}`));
    });
  }
  // Nobody else would stop the programs that it leaves behind.
  process.on('uncaughtException', (error) => stopping.abort(error));
  return stopping.signal;
}

async function runCommand(args: readonly string[]): Promise<number> {
  const command = parseOptions(args);
  switch (command.kind) {
    case 'help':
      console.log(USAGE);
      return EXIT.kept;
    case 'wrong':
      console.error(`${command.problems.join('\n')}\n\n${USAGE}`);
      return EXIT.failed;
    case 'run':
      try {
        return await main(command.options, stopOnSignal());
      } catch (error) {
        console.error(`The run with seed ${command.options.seed} could not be finished:`, error);
        return EXIT.failed;
      }
  }
}

process.exitCode = await runCommand(process.argv.slice(2));
// Callers of a run that was stopped may still be waiting for an answer.
process.exit();
