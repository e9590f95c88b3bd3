import { spreadOf } from './statistics.ts';
import type { Spread } from './statistics.ts';

/** One line of a table; the first one is its head. */
export type Row = readonly string[];

/** Writes a table, its columns aligned for those who read the source. */
export function table(rows: readonly Row[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: Row): string => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const ruler = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  const [header = [], ...body] = rows;
  return [line(header), ruler, ...body.map(line)].join('\n');
}

/** A chapter with what it holds. */
export function section(title: string, ...parts: readonly string[]): string {
  return [`### ${title}`, ...parts.filter((part) => part !== '')].join('\n\n');
}

/** A plot: places on the horizontal axis, and values over them. */
export interface Plot {
  readonly title: string;
  readonly places: readonly string[];
  readonly unit: string;
  readonly kind: 'bar' | 'line';
  /** One line of the plot each. */
  readonly series: readonly (readonly number[])[];
}

/** Writes a plot as Mermaid, which GitHub draws. */
export function plot({ title, places, unit, kind, series }: Plot): string {
  const highest = Math.max(1, ...series.flat());
  const quoted = (text: string): string => `"${text.replaceAll('"', '')}"`;
  return [
    '```mermaid', 'xychart-beta', `  title ${quoted(title)}`, `  x-axis [${places.map(quoted).join(', ')}]`, `  y-axis ${quoted(unit)} 0 --> ${Math.ceil(highest * 1.1)}`,
    ...series.map((values) => `  ${kind} [${values.map((value) => value.toFixed(2)).join(', ')}]`), '```',
  ].join('\n');
}

/** A figure without digits after the point. */
export function whole(value: number): string {
  return value.toFixed(0);
}

/** A figure with one digit after the point. */
export function tenths(value: number): string {
  return value.toFixed(1);
}

/** Bytes, in MiB. */
export function mebibytes(bytes: number): string {
  return `${whole(bytes / 1024 / 1024)} MiB`;
}

/** Median (lowest–highest). */
export function between({ median, min, max }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

/** The same of a list. */
export function spread(values: readonly number[], digits = 2): string {
  return between(spreadOf(values), digits);
}
