import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { bundleOnce } from '../../../src/temporal/bundle-cache.ts';

let folder: string;
let top: URL;
let builds = 0;
const build = async (): Promise<{ code: string }> => {
  builds += 1;
  return { code: `bundle ${builds}` };
};

beforeEach(async () => {
  builds = 0;
  folder = await mkdtemp(join(tmpdir(), 'reintegro-bundle-'));
  top = pathToFileURL(`${folder}/`);
  for (const path of ['workflows', 'src/domain', 'src/temporal']) await mkdir(join(folder, path), { recursive: true });
  await writeFile(join(folder, 'workflows/refund.ts'), 'one');
  await writeFile(join(folder, 'package-lock.json'), '{}');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('bundleOnce', () => {
  it('should build the same sources once', async () => {
    expect(await bundleOnce(top, build)).toEqual({ code: 'bundle 1' });
    expect(await bundleOnce(top, build)).toEqual({ code: 'bundle 1' });
  });

  it.each([['workflows/refund.ts', 'two'], ['workflows/new.ts', ''], ['src/domain/money.ts', 'x'], ['src/temporal/workflow-bundle.ts', 'x'], ['package-lock.json', '{"packages":{}}']])('should build again when %s is another, and keep no older bundle (I8)', async (path, text) => {
    await bundleOnce(top, build);
    await writeFile(join(folder, path), text);
    expect(await bundleOnce(top, build)).toEqual({ code: 'bundle 2' });
    expect(await readdir(join(folder, 'node_modules/.cache/reintegro'))).toHaveLength(1);
  });

  it('should do without a cache that cannot be used, and keep nothing of a build that failed', async () => {
    await expect(bundleOnce(top, () => Promise.reject(new Error('the Workflow imports node:fs')))).rejects.toThrow('node:fs');
    await writeFile(join(folder, 'node_modules'), 'a file');
    expect(await bundleOnce(top, build)).toEqual({ code: 'bundle 1' });
    expect(await bundleOnce(top, build)).toEqual({ code: 'bundle 2' });
  });
});
