import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';

import * as sources from '../../workflows/index.ts';
import { workflowBundle } from './workflow-bundle.ts';

const WORKFLOW_TYPES = ['payoutOrderWorkflow', 'refundAftermathWorkflow', 'refundWorkflow'];

/** Everything a Worker loads per Workflow cache, without the source map. The SDK is most of it. */
const MAX_CODE_BYTES = 800_000;
const SOURCE_MAP = '//# sourceMappingURL=data:application/json;charset=utf-8;base64,';

let code: string;
let modules: readonly string[];

beforeAll(async () => {
  const bundle = await workflowBundle();
  if (!('code' in bundle)) throw new Error('the bundle is not built from sources');
  const cut = bundle.code.lastIndexOf(SOURCE_MAP);
  code = bundle.code.slice(0, cut);
  const map = JSON.parse(Buffer.from(bundle.code.slice(cut + SOURCE_MAP.length), 'base64').toString()) as { sources: string[] };
  const top = fileURLToPath(new URL('../../', import.meta.url));
  modules = map.sources.filter((source) => source.startsWith('/')).map((source) => relative(top, source));
});

describe('the Workflow bundle', () => {
  it('should export exactly our Workflow Types', () => {
    // The SDK gives each Workflow its own module cache under this name.
    const context = createContext({ __webpack_module_cache__: {} });
    runInContext(code, context);
    const workflows = runInContext('__TEMPORAL__.importWorkflows()', context) as object;
    expect(Object.keys(workflows).toSorted()).toEqual(WORKFLOW_TYPES);
    expect(Object.keys(sources).toSorted()).toEqual(WORKFLOW_TYPES);
  });

  it('should hold Workflow code, the domain and the SDK, and nothing of Node or of the rest of the product', () => {
    const allowed = /^(workflows\/|src\/domain\/|node_modules\/(@temporalio\/(workflow|common)|nexus-rpc|long|ms)\/)/;
    expect(modules.filter((module) => !allowed.test(module))).toEqual([]);
    expect(modules).toEqual(expect.arrayContaining(['workflows/refund.ts', 'workflows/payout-order.ts', 'src/domain/refund.ts']));
    expect(code).not.toMatch(/require\(["']node:/);
    expect(code).not.toContain('external "node:');
  });

  it('should stay small enough to be loaded quickly', () => {
    expect(Buffer.byteLength(code)).toBeLessThan(MAX_CODE_BYTES);
  });
});
