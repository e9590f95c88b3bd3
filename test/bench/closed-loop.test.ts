import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { closedLoop } from '../../bench/closed-loop.ts';

describe('closedLoop', () => {
  it('should count whole turns of all clients, after a first one of each', async () => {
    let done = 0;
    const operation = async (): Promise<string> => {
      await pause(1);
      done += 1;
      return `workflow ${done}`;
    };
    const { readings: [start], latencies, workflowIds, seconds } = await closedLoop(operation, { clients: 4, rampMs: 0, windowMs: 50 }, async () => done);
    expect(latencies.length).toBeGreaterThan(0);
    expect(latencies.length % 4).toBe(0);
    expect(start).toBeGreaterThanOrEqual(4);
    expect(workflowIds).toHaveLength(3);
    expect(seconds).toBeGreaterThanOrEqual(0.05);
  });

  it('should read both ends at the answers that make them', async () => {
    let answered = 0;
    const operation = async (): Promise<string> => {
      await pause(0);
      answered += 1;
      return 'workflow';
    };
    const { readings: [start, end], latencies } = await closedLoop(operation, { clients: 1, rampMs: 10, windowMs: 20 }, async () => answered);
    expect(latencies).toHaveLength(end - start);
  });

  it('should have exactly as many operations under way as there are clients', async () => {
    let underWay = 0;
    let most = 0;
    const operation = async (): Promise<string> => {
      underWay += 1;
      most = Math.max(most, underWay);
      await pause(1);
      underWay -= 1;
      return 'workflow';
    };
    await closedLoop(operation, { clients: 7, rampMs: 0, windowMs: 50 }, async () => null);
    expect([most, underWay]).toEqual([7, 0]);
  });

  it('should end its window when there is nothing left, and be measured by what it did', async () => {
    let left = 20;
    const operation = async (): Promise<string | null> => {
      if (left === 0) return null;
      left -= 1;
      await pause(1);
      return 'workflow';
    };
    const { latencies, failures } = await closedLoop(operation, { clients: 1, rampMs: 0, windowMs: 600_000 }, async () => null);
    // The first one is before the window.
    expect([latencies.length, failures]).toEqual([19, 0]);
  });

  it('should say nothing of a window that never began', async () => {
    const { latencies, seconds } = await closedLoop(async () => null, { clients: 3, rampMs: 1000, windowMs: 1000 }, async () => null);
    expect([latencies.length, seconds]).toEqual([0, 0]);
  });

  it('should count failures, tell the first one, and give up when there is nothing else', async () => {
    let asked = 0;
    const operation = async (): Promise<string> => {
      asked += 1;
      throw new Error(`failure ${asked}`);
    };
    const { latencies, failures, firstFailure } = await closedLoop(operation, { clients: 1, rampMs: 0, windowMs: 600_000 }, async () => null);
    expect([latencies.length, failures, firstFailure]).toEqual([0, 50, 'Error: failure 1']);
  });
});
