import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ExecutableSource } from '../../src/embedded/executable-cache.ts';
import { StartupError } from '../../src/embedded/startup-error.ts';
import { resolveTemporalCli, temporalCliSources } from '../../src/embedded/temporal-cli.ts';
import { startNodeProgram, type Program } from '../support/processes.ts';

const ENTRY = 'temporal-cli-1.5.1';
const RESOLVE_CLI = fileURLToPath(new URL('./fixtures/resolve-cli.ts', import.meta.url));
let root: string;
let cacheDir: string;
let resolvers: Program[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'reintegro-cli-'));
  cacheDir = join(root, 'cache');
  resolvers = [];
});
afterEach(async () => {
  for (const resolver of resolvers) await resolver.kill9();
  await rm(root, { recursive: true, force: true });
});

async function startResolver(mode: 'finish' | 'hang'): Promise<Program> {
  const resolver = await startNodeProgram(RESOLVE_CLI, [cacheDir, join(root, 'installations'), mode]);
  resolvers.push(resolver);
  return resolver;
}

async function program(path: string, text = '#!/bin/sh\n'): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

function failing(name: string): ExecutableSource {
  return { name, install: () => Promise.reject(new Error(`${name} is out of reach`)) };
}

function bringing(name: string, calls: string[]): ExecutableSource {
  return {
    name,
    install: async (draft) => {
      calls.push(name);
      await program(join(draft, 'temporal'));
    },
  };
}

const quiet = { onProgress: (): void => undefined };

describe('resolveTemporalCli', () => {
  it('should use the explicit path before anything else (D4)', async () => {
    const explicitPath = await program(join(root, 'mine', 'temporal-of-mine'));
    await program(join(root, 'bin', 'temporal'));
    await expect(resolveTemporalCli({ ...quiet, explicitPath, pathVariable: join(root, 'bin'), cacheDir })).resolves.toBe(explicitPath);
  });

  it('should refuse an explicit path that cannot be run instead of silently using another (D4)', async () => {
    await program(join(root, 'bin', 'temporal'));
    const resolving = resolveTemporalCli({ ...quiet, explicitPath: join(root, 'nowhere'), pathVariable: join(root, 'bin'), cacheDir });
    await expect(resolving).rejects.toThrow(StartupError);
    await expect(resolving).rejects.toThrow(/TEMPORAL_CLI_PATH/);
  });

  it('should use PATH before the cache, and skip what cannot be run (D4)', async () => {
    await mkdir(join(root, 'folder', 'temporal'), { recursive: true });
    const onPath = await program(join(root, 'bin', 'temporal'));
    await program(join(cacheDir, ENTRY, 'temporal'));
    const pathVariable = [join(root, 'missing'), join(root, 'folder'), join(root, 'bin')].join(':');
    await expect(resolveTemporalCli({ ...quiet, pathVariable, cacheDir })).resolves.toBe(onPath);
  });

  it('should use the cache before any source (D4)', async () => {
    const cached = await program(join(cacheDir, ENTRY, 'temporal'));
    await expect(resolveTemporalCli({ ...quiet, pathVariable: root, cacheDir, sources: [failing('network')] })).resolves.toBe(cached);
  });

  it('should try the sources in order, stop at the first that works, and need none the next time (D4)', async () => {
    const calls: string[] = [];
    const options = { ...quiet, pathVariable: undefined, cacheDir };
    const sources = [failing('download'), bringing('build', calls), bringing('never', calls)];
    const path = await resolveTemporalCli({ ...options, sources });
    expect(path).toBe(join(cacheDir, ENTRY, 'temporal'));
    await expect(resolveTemporalCli({ ...options, sources })).resolves.toBe(path);
    expect(calls).toEqual(['build']);
    expect(await readdir(cacheDir)).toEqual([ENTRY]);
  });

  it('should not take a source at its word when it brought no program (D4)', async () => {
    const empty: ExecutableSource = { name: 'empty', install: () => Promise.resolve() };
    await expect(resolveTemporalCli({ ...quiet, pathVariable: '', cacheDir, sources: [empty] })).rejects.toThrow(/empty: it brought no program/);
  });

  it('should say in one error all that was tried and what to do (D4)', async () => {
    const resolving = resolveTemporalCli({ ...quiet, pathVariable: '', cacheDir, sources: [failing('download'), failing('build')] });
    await expect(resolving).rejects.toThrow(StartupError);
    await expect(resolving).rejects.toThrow(/download is out of reach[\s\S]*build is out of reach[\s\S]*Install the Temporal CLI/);
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('should fill the cache once when two processes need it at the same time', async () => {
    const both = await Promise.all([startResolver('finish'), startResolver('finish')]);
    const paths = await Promise.all(both.map((one) => one.waitForLine(/^path /)));
    expect(new Set(paths)).toEqual(new Set([`path ${join(cacheDir, ENTRY, 'temporal')}`]));
    expect((await readFile(join(root, 'installations'), 'utf8')).trim().split('\n')).toHaveLength(1);
  });

  it('should recover from a process killed with -9 while it filled the cache', async () => {
    const killed = await startResolver('hang');
    await killed.waitForLine(/^installing/);
    const waiting = await startResolver('finish');
    await waiting.waitForLine(/^Waiting for another process/);
    await killed.kill9();
    await waiting.waitForLine(/^path /);
    await waiting.exited;
    expect(await readdir(cacheDir)).toEqual([ENTRY]);
  });
});

describe('temporalCliSources', () => {
  it('should build the pinned Go module into the given folder, with progress (D4)', async () => {
    const lines: string[] = [];
    // Stands for the Go tool: writes down its arguments and makes a program that answers --version.
    const go = '#!/bin/sh\necho "$@" > "$GOBIN/arguments"\nprintf "#!/bin/sh\\n" > "$GOBIN/temporal"\nchmod 755 "$GOBIN/temporal"\n';
    await program(join(root, 'bin', 'go'), go);
    const [, build] = temporalCliSources({ pathVariable: join(root, 'bin'), onProgress: (line) => lines.push(line) });
    const draft = await mkdtemp(join(root, 'draft-'));
    await build?.install(draft);
    expect(await readFile(join(draft, 'arguments'), 'utf8')).toBe('install github.com/temporalio/cli/cmd/temporal@v1.5.1\n');
    expect(lines[0]).toMatch(/^Building the Temporal server from source, once \(0s so far/);
  });

  it('should fail with the reason when the build fails or Go is missing (D4)', async () => {
    await program(join(root, 'bin', 'go'), '#!/bin/sh\necho "no route to module" >&2\nexit 1\n');
    const [, build] = temporalCliSources({ ...quiet, pathVariable: join(root, 'bin') });
    await expect(build?.install(root)).rejects.toThrow('no route to module');
    const [, withoutGo] = temporalCliSources({ ...quiet, pathVariable: join(root, 'empty') });
    await expect(withoutGo?.install(root)).rejects.toThrow('Go is not installed');
  });
});
