import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../bench/bench-options.ts';
import { plot, table } from '../../bench/markdown.ts';
import { perRole, PROGRAMS, ROLES, STORES, sumOf } from '../../bench/process-figures.ts';
import { renderReach } from '../../bench/reach.ts';
import { hasFailed } from '../../bench/run-bench.ts';
import type { BenchFigures } from '../../bench/run-bench.ts';
import { joined, quantile, rotated, spreadOf } from '../../bench/statistics.ts';
import { ratioToBare } from '../../bench/unit-ratios.ts';
import type { Unit } from '../../bench/unit-operations.ts';
import type { UnitWindow } from '../../bench/units.ts';

function windowOf(unit: Unit, round: number, clients: number, given: Partial<UnitWindow> = {}): UnitWindow {
  return {
    unit, round, clients, seconds: 5, completed: 500, perSecond: 100, p50Ms: 10, p95Ms: 20, p99Ms: 30, cpuMs: perRole(() => 1), walBytes: 0, writes: 0,
    historyEvents: { median: 11, min: 11, max: 11 }, historyBytes: { median: 1800, min: 1700, max: 1900 }, otherCores: 0, stealCores: 0, failures: 0, firstFailure: null, ...given,
  };
}

function figuresOf(windows: readonly UnitWindow[]): BenchFigures {
  return { options: parseOptions([]), start: null, units: { windows, counted: [], repeatedRequests: 0 }, orders: null, payouts: null };
}

describe('ratioToBare', () => {
  it('should compare within a round and a number of clients', () => {
    const windows = [
      windowOf('bare', 1, 32, { perSecond: 100 }), windowOf('refund-http', 1, 32, { perSecond: 60 }),
      windowOf('bare', 2, 32, { perSecond: 50 }), windowOf('refund-http', 2, 32, { perSecond: 40 }),
      windowOf('bare', 1, 1, { perSecond: 10 }),
    ];
    expect(ratioToBare(windows, 'refund-http', 32, ({ perSecond }) => perSecond)).toEqual({ median: 0.7, min: 0.6, max: 0.8 });
    expect(ratioToBare(windows, 'refund-http', 1, ({ perSecond }) => perSecond)).toBeNull();
  });
});

describe('renderReach', () => {
  const lineOf = (windows: readonly UnitWindow[], goal: string): string | undefined => renderReach(figuresOf(windows)).split('\n').find((line) => line.includes(goal));

  it.each([[60, 'yes'], [59, '**no**']])('should hold %i refunds a second against 100 bare Workflows: %s', (perSecond, verdict) => {
    expect(lineOf([windowOf('bare', 1, 32), windowOf('refund-http', 1, 32, { perSecond })], 'refunds per second at 32')).toContain(`| ${verdict}`);
  });

  it.each([[1.5, 'yes'], [1.6, '**no**']])('should hold the CPU of %d times the bare programs against the goal, whatever the stores take: %s', (times, verdict) => {
    const cpuMs = perRole((role) => (role === 'temporal' || role === 'postgres' ? 1000 : times));
    expect(lineOf([windowOf('bare', 1, 32), windowOf('refund-http', 1, 32, { cpuMs })], 'CPU of client')).toContain(`| ${verdict}`);
  });

  it.each([[15, 'yes'], [16, '**no**']])('should hold a history of %i events against the goal: %s', (events, verdict) => {
    expect(lineOf([windowOf('refund-http', 1, 8, { historyEvents: { median: events, min: events, max: events } })], 'synchronous refund, events')).toContain(`| ${verdict}`);
  });

  it('should say what was not measured', () => {
    expect(lineOf([], 'start of a worker')).toContain('not measured');
  });
});

describe('hasFailed', () => {
  it.each([[5, false], [6, true]])('should judge %i failures beside 500 operations: %s', (failures, failed) => {
    expect(hasFailed(figuresOf([windowOf('bare', 1, 1, { failures })]))).toBe(failed);
  });
});

describe('statistics', () => {
  it('should find medians, extremes and quantiles', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(spreadOf([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
    expect(quantile([10, 30, 20, 40], 0.5)).toBe(30);
    expect(joined([{ median: 2, min: 1, max: 9 }, { median: 4, min: 3, max: 5 }])).toEqual({ median: 3, min: 1, max: 9 });
  });

  it.each([[0, [1, 2, 3]], [1, [2, 3, 1]], [2, [3, 1, 2]]])('should begin %i places later and leave nothing out', (by, expected) => {
    expect(rotated([1, 2, 3], by)).toEqual(expected);
  });
});

describe('sumOf', () => {
  it('should count each process once, and the provider nowhere', () => {
    expect(ROLES.filter((role) => ![...PROGRAMS, ...STORES].some((counted) => counted === role))).toEqual(['provider']);
    expect(sumOf(perRole((role) => (role === 'api' ? 5 : 1)), PROGRAMS)).toBe(8);
  });
});

describe('parseOptions', () => {
  it.each([['--parts', 'units,nothing'], ['--units', 'naked'], ['--clients', '0'], ['--rounds', 'many'], ['--unknown', '1']])('should refuse %s %s', (option, value) => {
    expect(() => parseOptions([option, value])).toThrow();
  });

  it('should study no cache unless asked', () => {
    expect(parseOptions([]).caches).toEqual([]);
    expect(parseOptions(['--cache', '50,200']).caches).toEqual([50, 200]);
  });
});

describe('markdown', () => {
  it('should align a table', () => {
    expect(table([['a', 'long'], ['value', 'b']])).toBe('| a     | long |\n|-------|------|\n| value | b    |');
  });

  it('should write a plot that GitHub draws', () => {
    expect(plot({ title: 'Speed', places: ['one', 'two'], unit: 'per second', kind: 'bar', series: [[1, 20]] })).toBe(
      '```mermaid\nxychart-beta\n  title "Speed"\n  x-axis ["one", "two"]\n  y-axis "per second" 0 --> 22\n  bar [1.00, 20.00]\n```',
    );
  });
});
