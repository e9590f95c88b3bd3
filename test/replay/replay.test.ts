import { readdirSync, readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';

import * as workflows from '../../workflows/index.ts';
import { speakOnlyOfErrors } from '../workflow/environments.ts';
import { workflowBundle } from '../workflow/workflow-bundle.ts';
import { RECORDED_OUTCOMES } from './recorded-outcomes.ts';

const FOLDER = new URL('./histories/', import.meta.url);
const FILES = readdirSync(FOLDER).toSorted();
/** Histories of earlier versions of the code, of ways that this one no longer goes in the same steps. */
const EARLIER = new URL('./earlier/', import.meta.url);

/** The parts of a history's JSON that these tests look at or change. */
interface HistoryJson {
  events: {
    eventId: string;
    eventType: string;
    workflowExecutionStartedEventAttributes?: { workflowType: { name: string }; workflowId: string };
    activityTaskScheduledEventAttributes?: { activityType: { name: string } };
    timerStartedEventAttributes?: { timerId: string };
  }[];
}

function read(file: string): HistoryJson {
  return JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as HistoryJson;
}

function startOf(history: HistoryJson): { readonly type: string; readonly workflowId: string } {
  const started = history.events[0]?.workflowExecutionStartedEventAttributes;
  if (started === undefined) throw new Error('a history begins with its start');
  return { type: started.workflowType.name, workflowId: started.workflowId };
}

async function replay(history: HistoryJson): Promise<void> {
  const bundle = await workflowBundle();
  await Worker.runReplayHistory({ workflowBundle: bundle }, history, startOf(history).workflowId);
}

beforeAll(async () => {
  speakOnlyOfErrors();
  await workflowBundle();
});

describe('recorded histories', () => {
  it('should be there for every outcome, of every Workflow Type (I8)', () => {
    const expected = Object.entries(RECORDED_OUTCOMES).flatMap(([type, outcomes]) => outcomes.map(({ name }) => [`${name}.json`, type]));
    expect(Object.fromEntries(FILES.map((file) => [file, startOf(read(file)).type]))).toEqual(Object.fromEntries(expected));
    expect(new Set(FILES.map((file) => startOf(read(file)).type))).toEqual(new Set(Object.keys(workflows)));
  });

  it.each(readdirSync(EARLIER))('should replay what an earlier version of the code wrote: %s (I8)', async (file) => {
    await replay(JSON.parse(readFileSync(new URL(file, EARLIER), 'utf8')) as HistoryJson);
  });

  it('should not name the machine they were recorded on', () => {
    const top = fileURLToPath(new URL('../../', import.meta.url));
    for (const file of FILES) {
      const json = readFileSync(new URL(file, FOLDER), 'utf8');
      const payloads = [...json.matchAll(/"data": "([A-Za-z0-9+/=]+)"/g)].map(([, data]) => Buffer.from(data ?? '', 'base64').toString());
      for (const secret of [top, homedir(), `@${hostname()}`, 'node_modules']) expect([json, ...payloads].join('\n'), file).not.toContain(secret);
      expect([...new Set([...json.matchAll(/"identity": "([^"]*)"/g)].map(([, identity]) => identity))].filter((identity) => identity !== 'history-service'), file).toEqual(['reintegro']);
    }
  });

  it.each(FILES)('should replay: %s (I8)', async (file) => {
    await replay(read(file));
  });
});

describe('mutated histories', () => {
  it('should fail to replay when another Activity was called (I8)', async () => {
    const history = read('refund-verified-after-lost-answer.json');
    const scheduled = history.events.find((event) => event.activityTaskScheduledEventAttributes?.activityType.name === 'findRefund');
    if (scheduled?.activityTaskScheduledEventAttributes === undefined) throw new Error('the history has no such Activity');
    scheduled.activityTaskScheduledEventAttributes.activityType.name = 'submitRefund';
    await expect(replay(history)).rejects.toThrow(DeterminismViolationError);
  });

  it('should fail to replay when the settle delay was no timer of the Workflow (I8, S4)', async () => {
    const history = read('refund-verified-after-lost-answer.json');
    const index = history.events.findIndex((event) => event.timerStartedEventAttributes);
    const activity = history.events.find((event) => event.activityTaskScheduledEventAttributes);
    const timer = history.events[index];
    if (timer === undefined || activity === undefined) throw new Error('the history has no timer or no Activity');
    history.events[index] = { ...activity, eventId: timer.eventId };
    await expect(replay(history)).rejects.toThrow(DeterminismViolationError);
  });

  it('should fail to replay when an approval was not written down before the send (I8, R3)', async () => {
    const history = read('refund-approved-and-refunded.json');
    const scheduled = history.events.find((event) => event.activityTaskScheduledEventAttributes?.activityType.name === 'passCheckpoint');
    if (scheduled?.activityTaskScheduledEventAttributes === undefined) throw new Error('the history has no such Activity');
    scheduled.activityTaskScheduledEventAttributes.activityType.name = 'submitRefund';
    await expect(replay(history)).rejects.toThrow(DeterminismViolationError);
  });
});
