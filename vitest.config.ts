import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Where to write a JSON report besides the terminal's; set by CI. */
const reportFile = process.env['REINTEGRO_TEST_REPORT'];

/** How many files run at a time. Three on two cores were hardly faster, and moved the races. */
const FILES_AT_A_TIME = Math.max(2, Math.floor(availableParallelism() / 2));

/** Tests on a Temporal server of their own: beside those of the next project, since they wait more than they work. */
const WORKFLOW_TESTS = ['test/{replay,workflow}/**/*.test.ts'];

/** Tests that start the product and kill processes: they, too, wait more than they work. */
const PROCESS_TESTS = ['test/{contract,e2e,embedded}/**/*.test.ts'];

/** The fault rig as a command: alone at the end, since it wants all of the machine. */
const CHAOS_TESTS = ['test/chaos/chaos.test.ts'];

/** What the projects have in common. */
const COMMON = {
  // Not threads: V8 has been seen to abort the whole run when several of them let go of the in-memory database's WebAssembly.
  pool: 'forks',
  // One process for many files, with their modules loaded once: half of the CPU time went into starting processes. Nothing of a file may outlive it.
  isolate: false,
  maxWorkers: FILES_AT_A_TIME,
  testTimeout: 60_000,
  hookTimeout: 120_000,
} as const;

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    reporters: reportFile === undefined ? ['default'] : ['default', ['json', { outputFile: reportFile }]],
    projects: [
      {
        extends: true,
        test: { ...COMMON, name: 'in-process', include: ['test/**/*.test.ts'], exclude: [...WORKFLOW_TESTS, ...PROCESS_TESTS, ...CHAOS_TESTS], sequence: { groupOrder: 0 } },
      },
      { extends: true, test: { ...COMMON, name: 'workflows', include: WORKFLOW_TESTS, sequence: { groupOrder: 1 } } },
      { extends: true, test: { ...COMMON, name: 'processes', include: PROCESS_TESTS, sequence: { groupOrder: 1 } } },
      { extends: true, test: { ...COMMON, name: 'chaos', include: CHAOS_TESTS, sequence: { groupOrder: 2 } } },
    ],
  },
});
