import { between, plot, section, spread, table, tenths, whole } from './markdown.ts';
import type { Row } from './markdown.ts';
import { PROGRAMS, ROLES, STORES, sumOf } from './process-figures.ts';
import { joined, spreadOf } from './statistics.ts';
import { UNIT_NAMES, UNITS } from './unit-operations.ts';
import type { Unit } from './unit-operations.ts';
import { ratioToBare, windowsOf } from './unit-ratios.ts';
import type { UnitFigures, UnitWindow } from './units.ts';
import { isDisturbed } from './window-bench.ts';

/** Writes what the units of work cost. Pure. */
export function renderUnits(figures: UnitFigures): string {
  const { windows, repeatedRequests } = figures;
  const clients = [...new Set(windows.map((window) => window.clients))].toSorted((left, right) => left - right);
  const units = UNITS.filter((unit) => windows.some((window) => window.unit === unit));
  const most = clients.at(-1) ?? 1;
  const all = clients.flatMap((count) => units.map((unit) => ({ unit, clients: count })));
  const rows = (row: (unit: Unit, clients: number) => Row): readonly Row[] => all.map((one) => row(one.unit, one.clients));
  return section('What does a unit of work cost?',
    `Median (lowest–highest) over ${Math.max(...windows.map(({ round }) => round))} rounds; ratios are to the bare Workflow of the same round and as many clients.`,
    table([['Clients', 'Unit', 'per second', 'ratio', 'p50, ms', 'ratio', 'p95, ms', 'p99, ms'], ...rows((unit, count) => speedRow(windows, unit, count))]),
    `CPU per unit, milliseconds. Programs: ${PROGRAMS.join(', ')}. Stores: ${STORES.join(', ')}.`,
    table([['Clients', 'Unit', 'programs', 'ratio', 'stores', 'ratio', ...ROLES, 'other cores', 'steal'], ...rows((unit, count) => cpuRow(windows, unit, count))]),
    table([['Unit', 'history, events', 'history, bytes', 'WAL, bytes', 'transactions that write', 'transactions', 'provider calls', 'failed'], ...units.map((unit) => workRow(figures, unit))]),
    `Requests that had to be repeated: ${repeatedRequests}. Windows that others disturbed, each time they were tried: ${windows.filter(isDisturbed).length} of ${windows.length}.`,
    plot({ title: `Per second at ${most} clients`, places: units, unit: 'per second', kind: 'bar', series: [units.map((unit) => median(windowsOf(windows, unit, most), ({ perSecond }) => perSecond))] }),
    plot({ title: `CPU of programs and stores each at ${most} clients`, places: units, unit: 'milliseconds', kind: 'bar', series: [units.map((unit) => median(windowsOf(windows, unit, most), ({ cpuMs }) => sumOf(cpuMs, [...PROGRAMS, ...STORES])))] }),
  );
}

function median(windows: readonly UnitWindow[], figure: (window: UnitWindow) => number): number {
  return spreadOf(windows.map(figure)).median;
}

function ratio(windows: readonly UnitWindow[], unit: Unit, clients: number, figure: (window: UnitWindow) => number): string {
  const found = ratioToBare(windows, unit, clients, figure);
  return found === null ? '' : between(found);
}

function speedRow(windows: readonly UnitWindow[], unit: Unit, clients: number): Row {
  const own = windowsOf(windows, unit, clients);
  return [
    String(clients), UNIT_NAMES[unit], spread(own.map(({ perSecond }) => perSecond), 1), ratio(windows, unit, clients, ({ perSecond }) => perSecond),
    spread(own.map(({ p50Ms }) => p50Ms), 0), ratio(windows, unit, clients, ({ p50Ms }) => p50Ms), whole(median(own, ({ p95Ms }) => p95Ms)), whole(median(own, ({ p99Ms }) => p99Ms)),
  ];
}

function cpuRow(windows: readonly UnitWindow[], unit: Unit, clients: number): Row {
  const own = windowsOf(windows, unit, clients);
  const sums = ([PROGRAMS, STORES] as const).flatMap((roles) => [
    spread(own.map(({ cpuMs }) => sumOf(cpuMs, roles)), 1), ratio(windows, unit, clients, ({ cpuMs }) => sumOf(cpuMs, roles)),
  ]);
  return [
    String(clients), UNIT_NAMES[unit], ...sums, ...ROLES.map((role) => tenths(median(own, ({ cpuMs }) => cpuMs[role]))),
    median(own, ({ otherCores }) => otherCores).toFixed(2), median(own, ({ stealCores }) => stealCores).toFixed(2),
  ];
}

function workRow({ windows, counted }: UnitFigures, unit: Unit): Row {
  const own = windows.filter((window) => window.unit === unit);
  const count = counted.find((one) => one.unit === unit);
  return [
    UNIT_NAMES[unit], between(joined(own.map(({ historyEvents }) => historyEvents)), 0), between(joined(own.map(({ historyBytes }) => historyBytes)), 0),
    whole(median(own, ({ walBytes }) => walBytes)), tenths(median(own, ({ writes }) => writes)),
    count === undefined ? '' : tenths(count.commits), count === undefined ? '' : tenths(count.providerCalls), String(own.reduce((sum, { failures }) => sum + failures, 0)),
  ];
}
