import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { provideCachedExecutable, type ExecutableSource } from './executable-cache.ts';
import { findOnPath, isExecutableFile } from './executable-lookup.ts';
import { withProgress, type ProgressListener } from './progress.ts';
import { runToEnd } from './run-to-end.ts';
import { downloadWithSdk } from './sdk-download.ts';
import { StartupError } from './startup-error.ts';

const TEST_SERVER_VERSION = '1.38.0';
const MAVEN_ARTIFACT = `io.temporal:temporal-test-server:${TEST_SERVER_VERSION}`;
const MAIN_CLASS = 'io.temporal.testserver.TestServer';
const FILE = 'temporal-test-server';
const MAVEN_TIMEOUT_MS = 15 * 60_000;

/** The artifact and all it needs are copied as dependencies of a project that has nothing else. */
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>reintegro</groupId>
  <artifactId>temporal-test-server</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${TEST_SERVER_VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

/** Runs the jars beside it, wherever the folder was moved to; its arguments are the server's (the port). */
const WRAPPER = `#!/bin/sh
exec java -cp "$(dirname -- "$0")/lib/*" ${MAIN_CLASS} "$@"
`;

/** Where to look for the time-skipping test server, and where to keep one that had to be fetched. */
export interface ResolveTemporalTestServerOptions {
  /** TEMPORAL_TEST_SERVER_PATH: used as it is, or refused; never silently replaced. */
  readonly explicitPath?: string | undefined;
  /** The PATH variable, to find Maven and Java. */
  readonly pathVariable: string | undefined;
  readonly cacheDir: string;
  readonly onProgress: ProgressListener;
  /** Ways to get the program, in order; for tests. */
  readonly sources?: readonly ExecutableSource[];
}

/**
 * Finds the time-skipping test server (PRODUCT D4): explicit path, cache, the SDK's download, the pinned Maven artifact.
 * Throws a StartupError that says what was tried and what to do.
 */
export async function resolveTemporalTestServer(options: ResolveTemporalTestServerOptions): Promise<string> {
  if (options.explicitPath !== undefined && options.explicitPath !== '') {
    if (await isExecutableFile(options.explicitPath)) return options.explicitPath;
    throw new StartupError(
      `TEMPORAL_TEST_SERVER_PATH is ${options.explicitPath}, which is not a program that can be run: correct it or unset it.`,
    );
  }
  const result = await provideCachedExecutable({
    cacheDir: options.cacheDir,
    entry: `temporal-test-server-${TEST_SERVER_VERSION}`,
    file: FILE,
    sources: options.sources ?? temporalTestServerSources(options),
    onProgress: options.onProgress,
  });
  if ('path' in result) return result.path;
  throw new StartupError(
    [
      'The time-skipping Temporal test server is not here and could not be fetched. Tried:',
      '  - TEMPORAL_TEST_SERVER_PATH: not set',
      `  - cache: nothing in ${options.cacheDir}`,
      ...result.problems.map((problem) => `  - ${problem}`),
      'Set TEMPORAL_TEST_SERVER_PATH to the program, or install Maven and Java and run the tests again.',
    ].join('\n'),
  );
}

/** The ways to get the program where it is missing, in order: the SDK's download, then the pinned Maven artifact. */
export function temporalTestServerSources(
  options: Pick<ResolveTemporalTestServerOptions, 'pathVariable' | 'onProgress'>,
): readonly ExecutableSource[] {
  return [sdkSource(options.onProgress), mavenSource(options)];
}

function sdkSource(onProgress: ProgressListener): ExecutableSource {
  return {
    name: 'download by the Temporal SDK',
    install: (draft) =>
      withProgress(
        (elapsed) => `Downloading the Temporal test server, once (${elapsed} so far)…`,
        onProgress,
        () => downloadWithSdk(draft, { kind: 'test-server', version: `v${TEST_SERVER_VERSION}`, file: FILE }),
      ),
  };
}

function mavenSource({ pathVariable, onProgress }: Pick<ResolveTemporalTestServerOptions, 'pathVariable' | 'onProgress'>): ExecutableSource {
  return {
    name: `Maven artifact ${MAVEN_ARTIFACT}`,
    install: async (draft) => {
      const maven = await findOnPath('mvn', pathVariable);
      if (maven === undefined) throw new Error('Maven is not installed');
      if ((await findOnPath('java', pathVariable)) === undefined) throw new Error('Java is not installed');
      const project = join(draft, 'project');
      await mkdir(project);
      await writeFile(join(project, 'pom.xml'), POM);
      const args = ['--batch-mode', '--quiet', 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(draft, 'lib')}`];
      await withProgress(
        (elapsed) => `Fetching the Temporal test server, once (${elapsed} so far)…`,
        onProgress,
        () => runToEnd(maven, args, { timeoutMs: MAVEN_TIMEOUT_MS, cwd: project }),
      );
      await rm(project, { recursive: true, force: true });
      await writeFile(join(draft, FILE), WRAPPER);
      await chmod(join(draft, FILE), 0o755);
    },
  };
}
