import { addFaults, countWords, sumFaults } from './figures.ts';
import type { RunFigures } from './figures.ts';
import { addTallies } from './races.ts';

/** How many violations are printed; all of them are in the JSON. */
const SHOWN = 40;

type Row = readonly string[];

/** Writes what a run came to as text. Pure. */
export function renderRun(run: RunFigures): string {
  const { seconds, operations, kills, recovered, violations, replayed } = run;
  const total = sumFaults(run.faults);
  const servers = kills.api + kills.temporal + kills.postgres + kills.sandbox;
  return [
    `Seed ${run.seed}, protocol ${run.protocol}: ${operations.refunds + operations.payouts} operations in ${sumOf(seconds)} s (${pairs(seconds, ' s')})`,
    table([['Faults', 'armed', 'hit'], ...Object.entries(run.faults).map(([name, { armed, hit }]) => [name, String(armed), String(hit)]), ['all', String(total.armed), String(total.hit)]]),
    table([['Races', 'won by'], ...Object.entries(run.races).map(([name, wins]) => [name, pairs(wins)])]),
    table([
      ['What', 'how often'],
      ['refunds asked for', `${operations.refunds}`],
      ['payout orders', `${operations.payouts}`],
      ['posted twice at once', `${operations.postedTwice}`],
      ['requests repeated by their callers', `${operations.repeated}`],
      ['faults that hit', `${total.hit} of ${total.armed}`],
      ['kill -9 of workers', `${kills.worker}`],
      ['kill -9 of servers', `${servers} (${pairs({ api: kills.api, Temporal: kills.temporal, PostgreSQL: kills.postgres, sandbox: kills.sandbox })})`],
      ['programs that ended by themselves', `${run.endedByThemselves.length}`],
      ['operations hit by a fault', `${recovered.hit}`],
      ['of these, ended by themselves', `${recovered.ended}`],
      ['endings', pairs(run.endings)],
      ['open cases', pairs(run.cases) || 'none'],
      ['histories replayed', replayed === null ? 'not with this protocol' : `${replayed}`],
      ['violations', violations.length === 0 ? '0' : `${violations.length} (${pairs(countWords(violations.map(({ rule }) => rule)))})`],
    ]),
    ...(run.protocol === 'naive' ? ['The naive workers know neither payout orders nor refunds that stop before they are sent: those were not played, and nothing was replayed.'] : []),
    ...(run.endedByThemselves.length === 0 ? [] : [['Ended by themselves:', ...run.endedByThemselves].join('\n  ')]),
    ...(violations.length === 0 ? [] : [[`Violations (seed ${run.seed}):`, ...violations.slice(0, SHOWN).map(({ rule, subject, what }) => `${rule} ${subject}: ${what}`)].join('\n  ')]),
    ...(violations.length > SHOWN ? [`  … and ${violations.length - SHOWN} more`] : []),
  ].join('\n\n');
}

/** Writes several runs as Markdown: one row each, and the classes of faults and the races of all together. Pure. */
export function renderRuns(runs: readonly RunFigures[]): string {
  const faults = addFaults(runs.map((run) => run.faults));
  const modes = [...new Set(Object.keys(faults).map((name) => name.split(' ').at(-1) ?? name))].toSorted();
  const rows = runs.map(figuresOf);
  const total = rows.reduce((sums, row) => sums.map((sum, column) => sum + (row[column] ?? 0)), rows[0]?.map(() => 0) ?? []);
  return [
    table([
      ['Seed', 'operations', 'faults hit', 'workers killed', 'APIs', 'Temporal', 'PostgreSQL', 'sandbox', 'posted twice', 'requests repeated', 'open cases', 'replayed', 'seconds', 'violations'],
      ...runs.map(({ seed }, index) => [`${seed}`, ...(rows[index] ?? []).map(String)]), ['all', ...total.map(String)],
    ]),
    table([['Class of faults', 'armed', 'hit'], ...modes.map((mode) => [mode, sumFaults(faults, mode)] as const).map(([mode, { armed, hit }]) => [mode, `${armed}`, `${hit}`])]),
    table([['Race', 'won by'], ...Object.entries(addTallies(runs.map(({ races }) => races))).map(([name, wins]) => [name, pairs(wins)])]),
  ].join('\n\n');
}

function figuresOf({ operations, faults, kills, cases, replayed, seconds, violations }: RunFigures): readonly number[] {
  return [
    operations.refunds + operations.payouts, sumFaults(faults).hit, kills.worker, kills.api, kills.temporal, kills.postgres, kills.sandbox, operations.postedTwice, operations.repeated,
    sumOf(cases), replayed ?? 0, sumOf(seconds), violations.length,
  ];
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function pairs(counts: Readonly<Record<string, number>>, unit = ''): string {
  return Object.entries(counts).map(([name, count]) => `${name} ${count}${unit}`).join(', ');
}

function table([header = [], ...body]: readonly Row[]): string {
  const rows = [header, ...body];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: Row): string => `| ${header.map((_, column) => (row[column] ?? '').padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(header), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body.map(line)].join('\n');
}
