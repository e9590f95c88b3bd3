import { join } from 'node:path';

import { provideCachedExecutable, type ExecutableSource } from './executable-cache.ts';
import { findOnPath, isExecutableFile } from './executable-lookup.ts';
import { withProgress, type ProgressListener } from './progress.ts';
import { runToEnd } from './run-to-end.ts';
import { downloadWithSdk } from './sdk-download.ts';
import { StartupError } from './startup-error.ts';

/** Pinned: later versions cannot be built by `go install`, because their go.mod has a replace directive. */
const TEMPORAL_CLI_VERSION = '1.5.1';
const GO_MODULE = `github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_CLI_VERSION}`;
const FILE = 'temporal';
const BUILD_TIMEOUT_MS = 30 * 60_000;
const VERSION_TIMEOUT_MS = 30_000;

/** Where to look for the Temporal server program, and where to keep one that had to be fetched. */
export interface ResolveTemporalCliOptions {
  /** TEMPORAL_CLI_PATH: used as it is, or refused; never silently replaced. */
  readonly explicitPath?: string | undefined;
  /** The PATH variable. */
  readonly pathVariable: string | undefined;
  readonly cacheDir: string;
  readonly onProgress: ProgressListener;
  /** Ways to get the program, in order; for tests. */
  readonly sources?: readonly ExecutableSource[];
}

/**
 * Finds the Temporal server program (PRODUCT D4): explicit path, PATH, cache, the SDK's download, a build from the pinned Go module.
 * Throws a StartupError that says what was tried and what to do.
 */
export async function resolveTemporalCli(options: ResolveTemporalCliOptions): Promise<string> {
  if (options.explicitPath !== undefined && options.explicitPath !== '') {
    if (await isExecutableFile(options.explicitPath)) return options.explicitPath;
    throw new StartupError(`TEMPORAL_CLI_PATH is ${options.explicitPath}, which is not a program that can be run: correct it or unset it.`);
  }
  const onPath = await findOnPath(FILE, options.pathVariable);
  if (onPath !== undefined) return onPath;
  const result = await provideCachedExecutable({
    cacheDir: options.cacheDir,
    entry: `temporal-cli-${TEMPORAL_CLI_VERSION}`,
    file: FILE,
    sources: options.sources ?? temporalCliSources(options),
    onProgress: options.onProgress,
  });
  if ('path' in result) return result.path;
  throw new StartupError(
    [
      'The Temporal server program is not here and could not be fetched. Tried:',
      '  - TEMPORAL_CLI_PATH: not set',
      '  - PATH: no program named temporal',
      `  - cache: nothing in ${options.cacheDir}`,
      ...result.problems.map((problem) => `  - ${problem}`),
      'Install the Temporal CLI so that `temporal` is on PATH, or set TEMPORAL_CLI_PATH to it, or install Go and start again,',
      'or set TEMPORAL_ADDRESS to a Temporal server that already runs.',
    ].join('\n'),
  );
}

/** The ways to get the program where it is missing, in order: the SDK's download, then a build from the pinned Go module. */
export function temporalCliSources(options: Pick<ResolveTemporalCliOptions, 'pathVariable' | 'onProgress'>): readonly ExecutableSource[] {
  return [sdkSource(options.onProgress), goSource(options)];
}

function sdkSource(onProgress: ProgressListener): ExecutableSource {
  return {
    name: 'download by the Temporal SDK',
    install: (draft) =>
      withProgress(
        (elapsed) => `Downloading the Temporal server, once (${elapsed} so far)…`,
        onProgress,
        () => downloadWithSdk(draft, { kind: 'dev-server', version: `v${TEMPORAL_CLI_VERSION}`, file: FILE }),
      ),
  };
}

function goSource({ pathVariable, onProgress }: Pick<ResolveTemporalCliOptions, 'pathVariable' | 'onProgress'>): ExecutableSource {
  return {
    name: `build from source (go install ${GO_MODULE})`,
    install: async (draft) => {
      const go = await findOnPath('go', pathVariable);
      if (go === undefined) throw new Error('Go is not installed');
      await withProgress(
        (elapsed) => `Building the Temporal server from source, once (${elapsed} so far; usually 3 min)…`,
        onProgress,
        // `env` adds two variables to the inherited ones. The SQLite driver is pure Go: no C compiler is needed.
        () => runToEnd('env', [`GOBIN=${draft}`, 'CGO_ENABLED=0', go, 'install', GO_MODULE], { timeoutMs: BUILD_TIMEOUT_MS, cwd: draft }),
      );
      // A program that cannot even tell its version must not enter the cache.
      await runToEnd(join(draft, FILE), ['--version'], { timeoutMs: VERSION_TIMEOUT_MS });
    },
  };
}
