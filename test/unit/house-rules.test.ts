import { readFileSync, readdirSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from '@swc/core';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAX_FILE_LINES = 250;
const MAX_FUNCTION_LINES = 50;
/** The story of a business process reads better in one piece. */
const MAX_WORKFLOW_LINES = 60;

const FUNCTION_TYPES: ReadonlySet<string> = new Set([
  'FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression', 'ClassMethod', 'PrivateMethod', 'Constructor',
  'MethodProperty', 'GetterProperty', 'SetterProperty',
]);

interface SyntaxNode {
  readonly type: string;
  readonly span?: { readonly start: number; readonly end: number };
  readonly [property: string]: unknown;
}

interface Source {
  readonly path: string;
  readonly text: string;
}

interface Finding {
  readonly node: SyntaxNode;
  readonly line: number;
  readonly lines: number;
  readonly name: string;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function* descend(value: unknown, name = 'anonymous'): Generator<{ readonly node: SyntaxNode; readonly name: string }> {
  if (Array.isArray(value)) {
    for (const item of value) yield* descend(item, name);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const entries: Record<string, unknown> = { ...value };
  const label = [entries['identifier'], entries['id'], entries['key']].find((candidate) => isNode(candidate) && typeof candidate['value'] === 'string');
  const own = isNode(label) ? String(label['value']) : name;
  if (isNode(value)) yield { node: value, name: own };
  for (const child of Object.values(entries)) yield* descend(child, own);
}

/** All nodes of a source with their lines. The parser counts bytes from where its last file ended: a leading `;` marks where ours begins. */
function nodesOf(source: string): readonly Finding[] {
  // A hashbang may only stand first of all: as a comment it is as long and may stand after the mark.
  const text = `;${source.replace(/^#!/, '//')}`;
  const bytes = Buffer.from(text);
  const module: unknown = parseSync(text, { syntax: 'typescript', target: 'es2022' });
  const all = [...descend(module)];
  const base = Math.min(...all.map(({ node }) => node.span?.start ?? Number.POSITIVE_INFINITY));
  const lineOfByte = new Uint32Array(bytes.length + 1).fill(1);
  for (const [index, byte] of bytes.entries()) lineOfByte[index + 1] = (lineOfByte[index] ?? 1) + (byte === 0x0a ? 1 : 0);
  const lineAt = (offset: number): number => lineOfByte[offset] ?? 0;
  return all.flatMap(({ node, name }) => {
    if (node.span === undefined) return [];
    const line = lineAt(node.span.start - base);
    return [{ node, name, line, lines: lineAt(node.span.end - base) - line + 1 }];
  });
}

function functionsOf(text: string): readonly Finding[] {
  return nodesOf(text).filter(({ node }) => FUNCTION_TYPES.has(node.type));
}

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

function isDefaultExport(node: SyntaxNode): boolean {
  if (node.type === 'ExportDefaultDeclaration' || node.type === 'ExportDefaultExpression') return true;
  const exported = node.type === 'ExportSpecifier' ? (node['exported'] ?? node['orig']) : null;
  return isNode(exported) && exported['value'] === 'default';
}

function readsEnvironment({ node }: Finding): boolean {
  if (node.type === 'ImportDeclaration') {
    const names = [...descend(node['specifiers'])].map((specifier) => specifier.node['value']);
    return isNode(node['source']) && /^(node:)?process$/.test(String(node['source']['value'])) && names.includes('env');
  }
  if (node.type !== 'MemberExpression') return false;
  const { object, property } = node as { object?: unknown; property?: unknown };
  return isNode(object) && object['value'] === 'process' && isNode(property) && property['value'] === 'env';
}

function sourcesUnder(...folders: readonly string[]): readonly Source[] {
  return folders.flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(ROOT, path).split(sep).join('/'), text: readFileSync(path, 'utf8') })));
}

const SOURCES = sourcesUnder('src', 'workflows', 'activities');
const PARSED = SOURCES.map((source) => ({ ...source, nodes: nodesOf(source.text) }));

/** What a module keeps for itself at its top level and could change: its lines. */
function stateOf(text: string): readonly string[] {
  const isConstant = (line: string): boolean => /^(export )?const \w+: (Readonly(Set|Map|Array)<.*|readonly .*\[\]|RegExp) = new /.test(line);
  return text.split('\n').filter((line) => /^(export )?(let|var) /.test(line) || (/^(export )?const \w+(: [^=]+)? = (new |\[\];|\{\};)/.test(line) && !isConstant(line)));
}

function places(offends: (finding: Finding, path: string) => boolean): readonly string[] {
  return PARSED.flatMap(({ path, nodes }) => nodes.filter((finding) => offends(finding, path)).map((finding) => `${path}:${finding.line}`));
}

describe('functionsOf', () => {
  const body = (lines: number): string => Array.from({ length: lines - 2 }, () => '  void 0;').join('\n');

  it.each([
    ['a declaration', `function named() {\n${body(51)}\n}`],
    ['an arrow function', `const named = () => {\n${body(51)}\n};`],
    ['a method', `class Some { named() {\n${body(51)}\n} }`],
    ['a private method', `class Some { #named() {\n${body(51)}\n} }`],
    ['a constructor', `class Some { constructor() {\n${body(51)}\n} }`],
    ['a method of an object', `const some = { named() {\n${body(51)}\n} };`],
    ['a getter', `const some = { get named() {\n${body(51)}\n} };`],
    ['an argument', `f(async function () {\n${body(51)}\n});`],
  ])('should measure %s, whatever stands before it', (_, text) => {
    const [finding] = functionsOf(`// señal: más bytes que letras ✓\n\n${text}\n`);
    expect(finding).toMatchObject({ line: 3, lines: 51 });
  });

  it('should measure an executable as well', () => {
    expect(functionsOf('#!/usr/bin/env node\nfunction main() {}\n')).toMatchObject([{ name: 'main', line: 2, lines: 1 }]);
  });

  it('should name what it measures', () => {
    expect(functionsOf('export async function refundWorkflow() {}').map(({ name }) => name)).toEqual(['refundWorkflow']);
  });
});

describe('isDefaultExport', () => {
  it.each(['export default 1;', 'export default function f() {}', 'const a = 1; export { a as default };', "export { default } from './a.ts';"])('should see %s', (text) => {
    expect(nodesOf(text).some(({ node }) => isDefaultExport(node))).toBe(true);
  });

  it.each(['export const a = 1;', "import a from 'a'; export { a };"])('should not see one in %s', (text) => {
    expect(nodesOf(text).some(({ node }) => isDefaultExport(node))).toBe(false);
  });
});

describe('readsEnvironment', () => {
  it.each(["const a = process.env['A'];", 'const { A } = process.env;', "import { env } from 'node:process';"])('should see %s', (text) => {
    expect(nodesOf(text).some(readsEnvironment)).toBe(true);
  });

  it.each(["import process from 'node:process'; process.exit(1);", 'const env = options.env;'])('should not see it in %s', (text) => {
    expect(nodesOf(text).some(readsEnvironment)).toBe(false);
  });
});

describe('stateOf', () => {
  it.each(['let count = 0;', 'export let count = 0;', 'const seen = new Set();', 'export const seen: Map<string, string> = new Map();', 'const list: string[] = [];', 'const cache: Record<string, string> = {};'])('should see %s', (text) => {
    expect(stateOf(`import a from 'a';\n${text}\n`)).toEqual([text]);
  });

  it.each(["const FINAL: ReadonlySet<Status> = new Set(['done']);", 'const NAME = /x/;', "const WORDS = ['a'] as const;", 'function f() {\n  let a = new Map();\n}'])('should not see it in %s', (text) => {
    expect(stateOf(text)).toEqual([]);
  });
});

describe('the sources', () => {
  it('should be found', () => {
    expect(SOURCES.length).toBeGreaterThan(10);
  });

  it(`should have no file over ${MAX_FILE_LINES} lines`, () => {
    expect(SOURCES.filter(({ text }) => lineCount(text) > MAX_FILE_LINES).map(({ path, text }) => `${path}: ${lineCount(text)}`)).toEqual([]);
  });

  it(`should have no function over ${MAX_FUNCTION_LINES} lines, no Workflow over ${MAX_WORKFLOW_LINES}`, () => {
    const tooLong = PARSED.flatMap(({ path, nodes }) => nodes
      .filter(({ node }) => FUNCTION_TYPES.has(node.type))
      .filter(({ name, lines }) => lines > (path.startsWith('workflows/') && name.endsWith('Workflow') ? MAX_WORKFLOW_LINES : MAX_FUNCTION_LINES))
      .map(({ name, line, lines }) => `${path}:${line} ${name}: ${lines}`));
    expect(tooLong).toEqual([]);
  });

  it('should keep no state in modules that all Workflows of a Worker share: one would see what another did', () => {
    const shared = SOURCES.filter(({ path }) => path.startsWith('workflows/') || path.startsWith('src/domain/'));
    expect(shared.length).toBeGreaterThan(10);
    expect(shared.flatMap(({ path, text }) => stateOf(text).map((line) => `${path}: ${line}`))).toEqual([]);
  });

  it('should have no default export', () => {
    expect(places(({ node }) => isDefaultExport(node))).toEqual([]);
  });

  it('should have no enum, and no namespace that is not the typing of another package', () => {
    const isNamespace = ({ node }: Finding): boolean => node.type === 'TsModuleDeclaration' && !(isNode(node['id']) && node['id'].type === 'StringLiteral');
    expect(places((finding) => finding.node.type === 'TsEnumDeclaration' || isNamespace(finding))).toEqual([]);
  });

  it('should re-export nothing wholesale', () => {
    expect(places(({ node }) => node.type === 'ExportAllDeclaration')).toEqual([]);
  });

  it('should read the environment in src/bin alone', () => {
    expect(places((finding, path) => readsEnvironment(finding) && !path.startsWith('src/bin/'))).toEqual([]);
  });

  it('should have names in kebab case that say something', () => {
    const bad = SOURCES.map(({ path }) => path).filter((path) => {
      const folders = path.split('/').slice(0, -1);
      const name = basename(path, '.ts');
      const spelled = [...folders, name].every((part) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(part));
      return !spelled || [...folders, name].some((part) => /^(utils?|helpers?|common|misc)$/.test(part));
    });
    expect(bad).toEqual([]);
  });
});
