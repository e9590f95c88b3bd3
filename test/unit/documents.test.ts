import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SETTING_NAMES } from '../../src/config.ts';
import { CASE_ACTIONS } from '../../src/domain/case.ts';
import type { CaseAction, CaseKind } from '../../src/domain/case.ts';
import { ERRORS } from '../../src/http/errors.ts';
import type { ErrorText } from '../../src/http/errors.ts';
import { MAGIC_VALUES } from '../../src/sandbox/magic-values.ts';
import type { ActRefusal } from '../../workflows/messages.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Checked by the compiler: a kind without a line here, or a line without a kind, does not compile. */
const CASE_KINDS = {
  outcome_unknown: true, unreadable_answer: true, waited_too_long: true, late_failure: true, late_reversal: true, contradiction: true, workflow_gone: true,
} as const satisfies Record<CaseKind, true>;

/** Checked by the compiler like the kinds of cases. */
const ACT_REFUSALS = {
  not_awaited: true, same_person: true, malformed: true, charge_id_required: true, no_open_case: true, provider_refund_taken: true, never_sent: true, other_amount: true,
  not_shown_by_provider: true, provider_says_otherwise: true, too_early: true, overtaken: true,
} as const satisfies Record<ActRefusal, true>;

/** By what the runbook has to name each act. */
const NAMES_OF_ACTS = {
  resolve: '`resolveRefund`', retry: '`retryRefund`', cancel: 'cancel', acknowledge: '`acknowledgeLateFailure`', ask_again: 'same key',
} as const satisfies Record<CaseAction, string>;

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** A document without its code blocks, which hold no links, headings or tables of ours. */
function prose(text: string): string {
  return text.replace(/^```.*?^```$/gms, '');
}

/** The cells of every table row, without header and ruler. */
function tableRows(text: string): readonly (readonly string[])[] {
  const lines = prose(text).split('\n');
  return lines.flatMap((line, index) => {
    const isHeader = /^\|[-| ]+\|$/.test(lines[index + 1] ?? '');
    if (!line.startsWith('|') || isHeader || /^\|[-| ]+\|$/.test(line)) return [];
    return [line.slice(1, -1).split('|').map((cell) => cell.trim())];
  });
}

/** Headings of one level whose whole text is code, with the text below them: entries by name. */
function entries(text: string): ReadonlyMap<string, string> {
  return new Map(prose(text).split(/^#{2,3} /m).flatMap((section) => {
    const [, name] = /^`([^`]+)`\n/.exec(section) ?? [];
    return name === undefined ? [] : [[name, section.slice(section.indexOf('\n')).trim()] as const];
  }));
}

/** The anchors that a page's headings make. */
function anchorsOf(text: string): ReadonlySet<string> {
  return new Set([...prose(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, title = '']) => (
    title.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-')
  )));
}

function markdownFiles(): readonly string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md')).map((name) => join('docs', name));
  return ['README.md', 'CONTRIBUTING.md', ...docs].filter((path) => existsSync(join(ROOT, path)));
}

/** What is wrong with the relative links of a page: each broken one with its place. */
function brokenLinks(path: string, text: string): readonly string[] {
  const links = [...prose(text).matchAll(/!?\[[^\]]*\]\(([^()\s]+)\)/g)].map(([, target = '']) => target).filter((target) => !/^[a-z]+:/.test(target));
  return links.flatMap((target) => {
    const [file = '', anchor] = target.split('#');
    const wanted = file === '' ? join(ROOT, path) : join(ROOT, dirname(path), file);
    if (!existsSync(wanted)) return [`${path}: ${target} does not exist`];
    if (anchor === undefined || statSync(wanted).isDirectory()) return [];
    return anchorsOf(readFileSync(wanted, 'utf8')).has(anchor) ? [] : [`${path}: ${relative(ROOT, wanted)} has no heading #${anchor}`];
  });
}

describe('docs/configuration.md', () => {
  const [settings = '', ...sections] = read('docs/configuration.md').split(/^(?=## )/m);
  const rows = tableRows(settings);

  it('should document every setting once, and nothing that is none (D1)', () => {
    expect(rows.map(([name = '']) => name).sort()).toEqual(SETTING_NAMES.map((name) => `\`${name}\``).sort());
  });

  it('should say of every setting who reads it and what it means', () => {
    const readers = /^(dev|api|worker|sandbox)(, (dev|api|worker|sandbox))*$/;
    expect(rows.filter((row) => row.length !== 4 || !readers.test(row[2] ?? '') || (row[3] ?? '') === '').map(([name]) => name)).toEqual([]);
  });

  it('should document every option of a refund policy, in order, and have no other table (R3, R5)', () => {
    const [, command = ''] = read('src/bin/reintegro.ts').split("merchant.command('policy");
    const options = [...command.split('.action(')[0]?.matchAll(/option\('(--[a-z-]+)/g) ?? []].map(([, option = '']) => `\`${option}\``);
    expect(options.length).toBeGreaterThan(0);
    expect(sections.flatMap(tableRows).map(([name]) => name)).toEqual(options);
  });
});

describe('docs/runbook.md', () => {
  const found = entries(read('docs/runbook.md'));

  it('should have one entry for every error code and every kind of case, and no other (O1)', () => {
    expect([...found.keys()].sort()).toEqual([...Object.keys(ERRORS), ...Object.keys(CASE_KINDS)].sort());
  });

  it('should say of every kind of case what it means, what it says about the money and what to do, and name each act there is (O1, O2)', () => {
    const wrong = Object.entries<readonly CaseAction[]>(CASE_ACTIONS).flatMap(([kind, acts]) => (
      ['Means', 'Money: ', 'Do', ...acts.map((act) => NAMES_OF_ACTS[act])].filter((part) => found.get(kind)?.includes(part) !== true).map((part) => `${kind}: ${part}`)
    ));
    expect(wrong).toEqual([]);
  });

  it('should list every reason for which an act is refused, once, and no other (O2, R3)', () => {
    const [, section = ''] = /^### When an act is refused\n(.*?)^#/ms.exec(read('docs/runbook.md')) ?? [];
    expect(tableRows(section).map(([reason = '']) => reason).sort()).toEqual(Object.keys(ACT_REFUSALS).map((reason) => `\`${reason}\``).sort());
  });

  it('should begin the entry of an error with its HTTP status and its code on the wire', () => {
    const wrong = Object.entries<ErrorText>(ERRORS).filter(([name, { status, code }]) => found.get(name)?.startsWith(`HTTP ${status} · \`${code}\`. `) !== true);
    expect(wrong.map(([name]) => name)).toEqual([]);
  });

  it('should say what to do in every entry of an error', () => {
    expect(Object.keys(ERRORS).filter((name) => found.get(name)?.includes('Do: ') !== true && !found.get(name)?.includes('sends again'))).toEqual([]);
  });
});

describe('docs/sandbox.md', () => {
  it('should say of every mode of a refund what the provider, the caller, the Workflow and the operator see of it (X4)', () => {
    const told = tableRows(read('docs/sandbox.md')).filter((row) => row.length === 5 && row.every((cell) => cell !== '')).map(([mode]) => mode);
    expect(MAGIC_VALUES.map(({ mode }) => `\`${mode}\``).filter((mode) => !told.includes(mode))).toEqual([]);
  });

  it('should list the magic amounts as they are (X6)', () => {
    const listed = tableRows(read('docs/sandbox.md')).filter(([ending = '']) => /^\d{3}$/.test(ending)).map(([ending, mode]) => [ending, mode]);
    expect(listed).toEqual(MAGIC_VALUES.map(({ ending, mode }) => [String(ending), `\`${mode}\``]));
  });
});

describe('docs/adr', () => {
  it('should number the decisions without a gap and give each its three parts', () => {
    const files = readdirSync(join(ROOT, 'docs/adr')).filter((name) => name.endsWith('.md')).sort();
    expect(files.map((name) => Number(name.slice(0, 4)))).toEqual(files.map((_, index) => index + 1));
    const parts = ['## Context', '## Decision', '## Consequences'];
    expect(files.filter((name) => !parts.every((part) => read(`docs/adr/${name}`).includes(`\n${part}\n`)))).toEqual([]);
  });
});

describe('brokenLinks', () => {
  it('should see a missing file and a missing heading, and pass what is there and what is in code', () => {
    const text = '[a](missing.md) [b](docs/runbook.md#nowhere) [c](docs/runbook.md#cases) [d](#top)\n# Top\n```\n[e](missing.md)\n```\n[f](https://example.com/x)';
    expect(brokenLinks('CONTRIBUTING.md', text)).toEqual(['CONTRIBUTING.md: missing.md does not exist', 'CONTRIBUTING.md: docs/runbook.md has no heading #nowhere', 'CONTRIBUTING.md: CONTRIBUTING.md has no heading #top']);
  });

  it('should find none in the documents', () => {
    expect(markdownFiles().length).toBeGreaterThan(5);
    expect(markdownFiles().flatMap((path) => brokenLinks(path, read(path)))).toEqual([]);
  });
});
