import { between, table } from './markdown.ts';
import { PROGRAMS, sumOf } from './process-figures.ts';
import type { BenchFigures } from './run-bench.ts';
import { joined, spreadOf } from './statistics.ts';
import type { Spread } from './statistics.ts';
import { ratioToBare, windowsOf } from './unit-ratios.ts';

/** Where the product wants to be, with the figures that say whether it is. */
interface Goal {
  readonly name: string;
  readonly wanted: string;
  readonly limit: number;
  readonly isLeast: boolean;
  readonly digits: number;
  /** `null` when it was not measured. */
  figure(figures: BenchFigures): Spread | null;
}

const MIB = 1024 * 1024;

/** Refunds through HTTP where each goal is about them; ratios are to the bare Workflow of the same round. */
const GOALS: readonly Goal[] = [
  {
    name: 'refunds per second at 32 clients, to bare', wanted: 'at least 0.6', limit: 0.6, isLeast: true, digits: 2,
    figure: ({ units }) => units && ratioToBare(units.windows, 'refund-http', 32, ({ perSecond }) => perSecond),
  },
  {
    name: 'CPU of client, API and worker per refund at 32 clients, to bare', wanted: 'at most 1.5', limit: 1.5, isLeast: false, digits: 2,
    figure: ({ units }) => units && ratioToBare(units.windows, 'refund-http', 32, ({ cpuMs }) => sumOf(cpuMs, PROGRAMS)),
  },
  {
    name: 'median time of a refund at one client, to bare', wanted: 'at most 2', limit: 2, isLeast: false, digits: 2,
    figure: ({ units }) => units && ratioToBare(units.windows, 'refund-http', 1, ({ p50Ms }) => p50Ms),
  },
  { name: 'history of a synchronous refund, events', wanted: 'at most 15', limit: 15, isLeast: false, digits: 0, figure: (figures) => historyOf(figures, 'historyEvents') },
  { name: 'history of a synchronous refund, bytes', wanted: 'at most 3072', limit: 3072, isLeast: false, digits: 0, figure: (figures) => historyOf(figures, 'historyBytes') },
  { name: 'refunds per second beside 10,000 waiting payout orders, to none', wanted: 'at least 0.8', limit: 0.8, isLeast: true, digits: 2, figure: besideWaiting },
  { name: 'memory of the worker then, MiB', wanted: 'at most 600 MB', limit: 600_000_000 / MIB, isLeast: false, digits: 0, figure: memoryThen },
  {
    name: 'start of a worker with the bundle built before, seconds', wanted: 'at most 0.4', limit: 0.4, isLeast: false, digits: 2,
    figure: ({ start }) => start && spreadOf(start.shipped.map(({ readySeconds }) => readySeconds)),
  },
];

const WAITING = 10_000;

/** Writes each goal with its figure and whether it is met: by the median, since the extremes are the machine's. Pure. */
export function renderReach(figures: BenchFigures): string {
  return table([['Goal', 'wanted', 'measured', 'met'], ...GOALS.map((goal) => {
    const found = goal.figure(figures);
    return [goal.name, goal.wanted, found === null ? 'not measured' : between(found, goal.digits), found === null ? '' : verdict(goal, found)];
  })]);
}

function verdict({ isLeast, limit }: Goal, { median }: Spread): string {
  return (isLeast ? median >= limit : median <= limit) ? 'yes' : '**no**';
}

/** The extremes are those of single Workflows. */
function historyOf({ units }: BenchFigures, figure: 'historyEvents' | 'historyBytes'): Spread | null {
  const clients = new Set(units?.windows.map((window) => window.clients));
  const spreads = [...clients].flatMap((count) => windowsOf(units?.windows ?? [], 'refund-http', count)).map((window) => window[figure]);
  return spreads.length === 0 ? null : joined(spreads);
}

function besideWaiting({ payouts }: BenchFigures): Spread | null {
  const stage = payouts?.stages.find(({ waiting }) => waiting === WAITING);
  return stage === undefined ? null : spreadOf(stage.newWork.filter(({ kind }) => kind === 'refund').map(({ waiting, control }) => waiting.perSecond / control.perSecond));
}

/** Of both moments: when all wait, and after the new work. */
function memoryThen({ payouts }: BenchFigures): Spread | null {
  const stage = payouts?.stages.find(({ waiting }) => waiting === WAITING);
  if (payouts === null || stage === undefined) return null;
  const bytes = [payouts.residentBytes.waiting, stage.residentBytes.waiting].map((value) => value / MIB);
  return { median: Math.max(...bytes), min: Math.min(...bytes), max: Math.max(...bytes) };
}
