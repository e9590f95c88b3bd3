import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** One forbidden import per rule: file, what it imports, the rule that must refuse it. */
const FORBIDDEN = [
  ['src/domain/bad.ts', "import { readFileSync } from 'node:fs';", 'domain-imports-nothing-but-domain'],
  ['workflows/bad-value.ts', "import { readFileSync } from 'node:fs';", 'workflow-values-from-domain-and-sdk-only'],
  ['workflows/bad-type.ts', "import type { Tx as readFileSync } from '../src/store/transitions.ts';", 'workflow-types-from-activity-contracts-only'],
  ['activities/bad.ts', "import { createApiApp as readFileSync } from '../src/http/app.ts';", 'activities-act-and-write'],
  ['src/providers/bad.ts', "import { fastify as readFileSync } from 'fastify';", 'providers-know-no-temporal-no-server-no-store'],
  ['src/store/bad.ts', "import { Client as readFileSync } from '@temporalio/client';", 'store-knows-no-temporal-no-server-no-provider'],
  ['src/sandbox/bad.ts', "import { createConektaAdapter as readFileSync } from '../providers/conekta/adapter.ts';", 'sandbox-is-a-second-implementation'],
  ['src/http/bad.ts', "import { createConektaAdapter as readFileSync } from '../providers/conekta/adapter.ts';", 'http-and-cli-never-import-activities-or-providers'],
  ['src/http/bad-temporal.ts', "import { Client as readFileSync } from '@temporalio/client';", 'http-speaks-to-client-and-records'],
  ['src/client/bad.ts', "import { openDatabase as readFileSync } from '../store/database.ts';", 'client-imports-only-the-contract'],
  ['src/client/bad-workflow.ts', "import { refundWorkflow as readFileSync } from '../../workflows/refund.ts';", 'outside-code-imports-only-the-workflow-contract'],
  ['src/embedded/bad.ts', "import { openDatabase as readFileSync } from '../store/database.ts';", 'embedded-runs-programs-only'],
  ['src/worker/bad.ts', "import '../bin/reintegro.ts'; const readFileSync = 1;", 'nothing-imports-bin-or-test'],
] as const;

describe('the import table of .dependency-cruiser.cjs', () => {
  let copy = '';
  let report = '';

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'reintegro-boundaries-'));
    for (const entry of ['src', 'workflows', 'activities', '.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) cpSync(join(ROOT, entry), join(copy, entry), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    for (const [file, line] of FORBIDDEN) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      writeFileSync(join(copy, file), `${line}\nexport const used = [readFileSync];\n`);
    }
    const run = spawnSync(join(ROOT, 'node_modules/.bin/depcruise'), ['src', 'workflows', 'activities'], { cwd: copy, encoding: 'utf8' });
    report = run.stdout + run.stderr;
  });

  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it.each(FORBIDDEN)('should refuse %s: %s (X2 for the sandbox)', (file, _line, rule) => {
    expect(report).toMatch(new RegExp(`${rule}: ${file.replaceAll('.', '\\.')}`));
  });
});
