import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { StartupError } from '../../src/embedded/startup-error.ts';
import { resolveTemporalTestServer, temporalTestServerSources } from '../../src/embedded/temporal-test-server.ts';

const ENTRY = 'temporal-test-server-1.38.0';
const quiet = { onProgress: (): void => undefined };
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'reintegro-test-server-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function program(path: string, text = '#!/bin/sh\n'): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

describe('resolveTemporalTestServer', () => {
  it('should use the explicit path, and refuse one that cannot be run (D4)', async () => {
    const explicitPath = await program(join(root, 'mine'));
    const options = { ...quiet, pathVariable: '', cacheDir: join(root, 'cache'), sources: [] };
    await expect(resolveTemporalTestServer({ ...options, explicitPath })).resolves.toBe(explicitPath);
    await expect(resolveTemporalTestServer({ ...options, explicitPath: join(root, 'nowhere') })).rejects.toThrow(/TEMPORAL_TEST_SERVER_PATH/);
  });

  it('should use the cache before any source, and say what was tried when there is neither (D4)', async () => {
    const options = { ...quiet, pathVariable: '', cacheDir: join(root, 'cache') };
    const sources = [{ name: 'network', install: () => Promise.reject(new Error('out of reach')) }];
    await expect(resolveTemporalTestServer({ ...options, sources })).rejects.toThrow(StartupError);
    await expect(resolveTemporalTestServer({ ...options, sources })).rejects.toThrow(/network: out of reach/);
    const cached = await program(join(root, 'cache', ENTRY, 'temporal-test-server'));
    await expect(resolveTemporalTestServer({ ...options, sources })).resolves.toBe(cached);
  });
});

describe('temporalTestServerSources', () => {
  it('should copy the pinned Maven artifact and wrap it so that it can be moved (D4)', async () => {
    // Stands for Maven and Java: the first keeps the project it was given, the second shows how it was called.
    await program(join(root, 'bin', 'mvn'), '#!/bin/sh\nmkdir ../lib\ncp pom.xml ../lib/copied.jar\n');
    await program(join(root, 'bin', 'java'), '#!/bin/sh\nexit 0\n');
    const [, maven] = temporalTestServerSources({ ...quiet, pathVariable: join(root, 'bin') });
    const draft = await mkdtemp(join(root, 'draft-'));
    await maven?.install(draft);
    expect((await readdir(draft)).toSorted()).toEqual(['lib', 'temporal-test-server']);
    expect(await readFile(join(draft, 'lib', 'copied.jar'), 'utf8')).toMatch(/<artifactId>temporal-test-server<\/artifactId>\s*<version>1\.38\.0</);
    const wrapper = await readFile(join(draft, 'temporal-test-server'), 'utf8');
    expect(wrapper).not.toContain(draft);
    expect(wrapper).toContain('exec java');
  });

  it('should name what is missing (D4)', async () => {
    const [, maven] = temporalTestServerSources({ ...quiet, pathVariable: join(root, 'bin') });
    await expect(maven?.install(root)).rejects.toThrow('Maven is not installed');
    await program(join(root, 'bin', 'mvn'));
    await expect(maven?.install(root)).rejects.toThrow('Java is not installed');
  });
});
