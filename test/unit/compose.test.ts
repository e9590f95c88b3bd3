import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SETTING_NAMES } from '../../src/config.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly container_name?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly restart: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly profiles?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string; readonly required?: boolean }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const TEXT = read('docker-compose.yml');
const COMPOSE = parse(TEXT, { merge: true }) as Compose;
const SERVICES = Object.entries(COMPOSE.services);
const OURS = ['migrate', 'api', 'worker', 'sandbox'];

const duration = { type: 'string', pattern: '^\\d+(s|m|h)$' };
const strings = { type: 'array', items: { type: 'string' }, minItems: 1 };
const closed = { type: 'object', additionalProperties: false };

/** The part of the Compose specification this file uses, and nothing else. */
const SCHEMA = {
  ...closed,
  required: ['name', 'services', 'volumes'],
  patternProperties: { '^x-': true },
  properties: {
    name: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]*$' },
    volumes: { type: 'object', additionalProperties: { type: 'null' } },
    services: { type: 'object', minProperties: 1, additionalProperties: { $ref: '#/$defs/service' } },
  },
  $defs: {
    service: {
      ...closed,
      required: ['image', 'restart'],
      properties: {
        image: { type: 'string', minLength: 1 },
        build: { ...closed, required: ['context', 'target'], properties: { context: { type: 'string' }, target: { type: 'string' } } },
        init: { type: 'boolean' }, read_only: { type: 'boolean' }, tmpfs: strings, cap_drop: strings, security_opt: strings,
        profiles: strings, entrypoint: strings, command: strings,
        restart: { type: 'string', pattern: '^(unless-stopped|on-failure(:\\d+)?)$' },
        stop_grace_period: duration,
        shm_size: { type: 'string', pattern: '^\\d+[kmg]$' },
        environment: { type: 'object', propertyNames: { pattern: '^[A-Z][A-Z0-9_]*$' }, additionalProperties: { type: 'string' } },
        ports: { ...strings, items: { type: 'string', pattern: '^127\\.0\\.0\\.1:\\$\\{[A-Z_]+:-\\d+\\}:\\d+$' } },
        volumes: { ...strings, items: { type: 'string', pattern: '^(\\./[\\w./-]+:/[\\w./-]+:ro|[a-z-]+:/[\\w./-]+(:ro)?)$' } },
        healthcheck: {
          ...closed,
          required: ['test', 'interval', 'timeout', 'retries', 'start_period'],
          properties: {
            test: { type: 'array', minItems: 2, items: [{ const: 'CMD' }], additionalItems: { type: 'string' } },
            interval: duration, timeout: duration, start_period: duration, retries: { type: 'integer', minimum: 1 },
          },
        },
        depends_on: {
          type: 'object',
          minProperties: 1,
          additionalProperties: {
            ...closed,
            required: ['condition'],
            properties: { condition: { enum: ['service_healthy', 'service_completed_successfully'] }, required: { const: false } },
          },
        },
      },
    },
  },
};

/** Every `${NAME…}` of a text, with what follows the name. */
function variablesOf(text: string): readonly { readonly name: string; readonly rest: string }[] {
  return [...text.matchAll(/\$\{([A-Z_]+)([^}]*)\}/g)].map(([, name = '', rest = '']) => ({ name, rest }));
}

function isOneShot(service: Service): boolean {
  return service.restart.startsWith('on-failure');
}

/** All a service waits for, directly or through others. */
function waitsFor(name: string): ReadonlySet<string> {
  const direct = Object.keys(COMPOSE.services[name]?.depends_on ?? {});
  return new Set([...direct, ...direct.flatMap((other) => [...waitsFor(other)])]);
}

describe('docker-compose.yml', () => {
  it('should follow the Compose specification in all it uses (D5)', () => {
    const ajv = new Ajv({ allErrors: true, strictTuples: false });
    const validate = ajv.compile(SCHEMA);
    validate(COMPOSE);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ ...COMPOSE, services: { ...COMPOSE.services, odd: { image: 'a:1', restart: 'unless-stopped', heathcheck: {} } } })).toBe(false);
  });

  it('should have every part of a production set-up (D5)', () => {
    expect(Object.keys(COMPOSE.services).toSorted()).toEqual([
      'api', 'migrate', 'postgres', 'sandbox', 'temporal', 'temporal-namespace', 'temporal-schema', 'temporal-ui', 'worker',
    ]);
    for (const name of OURS) expect(COMPOSE.services[name]?.command).toEqual([name]);
  });

  it.each(SERVICES)('should know when %s is healthy, or have others wait until it has run to its end (D5)', (name, service) => {
    const waiting = SERVICES.flatMap(([, other]) => Object.entries(other.depends_on ?? {})).filter(([awaited]) => awaited === name);
    if (isOneShot(service)) {
      expect(service.healthcheck).toBeUndefined();
      expect(waiting.length).toBeGreaterThan(0);
    } else {
      expect(service.healthcheck).toBeDefined();
    }
    const condition = isOneShot(service) ? 'service_completed_successfully' : 'service_healthy';
    for (const [, { condition: given }] of waiting) expect(given).toBe(condition);
  });

  it('should let nothing wait for a service that does not exist, nor for itself', () => {
    for (const [name, service] of SERVICES) {
      for (const awaited of Object.keys(service.depends_on ?? {})) expect(COMPOSE.services).toHaveProperty(awaited);
      expect([...waitsFor(name)]).not.toContain(name);
    }
  });

  it('should start API and workers after schema, migrations, namespace and search attributes (D5)', () => {
    for (const name of ['api', 'worker']) {
      expect([...waitsFor(name)]).toEqual(expect.arrayContaining(['postgres', 'migrate', 'temporal-schema', 'temporal', 'temporal-namespace']));
    }
  });

  it('should need only parts that are always there: the sandbox is left out where the provider is real', () => {
    const optional = SERVICES.filter(([, { profiles }]) => profiles !== undefined).map(([name]) => name);
    expect(optional).toEqual(['sandbox']);
    for (const [, { depends_on: awaited = {} }] of SERVICES) {
      for (const [name, { required }] of Object.entries(awaited)) expect(required, name).toBe(optional.includes(name) ? false : undefined);
    }
  });

  it('should pin every image, and set Temporal up without the deprecated auto-setup (D5)', () => {
    for (const [, { image }] of SERVICES) {
      expect(image).toMatch(/^(\$\{REINTEGRO_IMAGE:-reintegro:\d+\.\d+\.\d+\}|[a-z/-]+:\d+(\.\d+)*)$/);
      expect(image).not.toMatch(/auto-setup|latest/);
    }
  });

  it('should let API and workers scale: no fixed name, no port that only one of them can have (D5)', () => {
    expect(COMPOSE.services['worker']?.ports).toBeUndefined();
    for (const name of ['api', 'worker']) expect(COMPOSE.services[name]?.container_name).toBeUndefined();
    for (const port of COMPOSE.services['api']?.ports ?? []) expect(port).toContain('${API_PORT:-');
  });

  it('should hold no secret: each comes from the environment and has no default (RELIABILITY, security)', () => {
    for (const [, { environment = {} }] of SERVICES) {
      for (const [key, value] of Object.entries(environment)) {
        if (/PASSWORD|_PWD|CREDENTIALS|_KEY$|SECRET|TOKEN/.test(key)) expect(value, key).toMatch(/^\$\{[A-Z_]+:(\?[^}]+|-)\}$/);
        for (const { name, rest } of variablesOf(value)) if (name.endsWith('PASSWORD')) expect(rest, key).toMatch(/^:\?/);
        expect(value, key).not.toMatch(/:\/\/[^:@/]+:[^$@/][^@/]*@/);
      }
    }
  });

  it('should keep keys that move money away from the API (ARCHITECTURE)', () => {
    const holders = SERVICES.filter(([, { environment = {} }]) => 'PROVIDER_CREDENTIALS' in environment).map(([name]) => name);
    expect(holders).toEqual(['worker']);
  });

  it('should mount only files and volumes that exist', () => {
    for (const [, { volumes = [] }] of SERVICES) {
      for (const [source = ''] of volumes.map((volume) => volume.split(':'))) {
        if (source.startsWith('./')) expect(existsSync(join(ROOT, source)), source).toBe(true);
        else expect(COMPOSE.volumes).toHaveProperty(source);
      }
    }
  });

  it('should have each variable explained in .env.example, and none there that nothing reads', () => {
    const used = new Set([...variablesOf(TEXT).map(({ name }) => name), 'COMPOSE_PROFILES']);
    const explained = [...read('.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name = '']) => name);
    expect(explained.toSorted()).toEqual([...used].toSorted());
  });

  it('should have the same defaults in .env.example', () => {
    const example = new Map([...read('.env.example').matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
    for (const { name, rest } of variablesOf(TEXT)) expect(example.get(name), name).toBe(/^:?-/.test(rest) ? rest.replace(/^:?-/, '') : '');
  });

  it('should give our services no setting the configuration does not know', () => {
    const unknown = OURS.flatMap((name) => Object.keys(COMPOSE.services[name]?.environment ?? {})).filter((key) => !SETTING_NAMES.includes(key));
    expect([...new Set(unknown)]).toEqual([]);
  });
});

describe('docker/temporal/setup-namespace.sh', () => {
  it('should register the search attributes the Workflows set, with their types (A6)', () => {
    const types = { KEYWORD: 'Keyword', INT: 'Int', BOOL: 'Bool' } as const;
    const set = [...read('workflows/search-attributes.ts').matchAll(/defineSearchAttributeKey\('(\w+)', '(KEYWORD|INT|BOOL)'\)/g)]
      .map(([, name, type]) => `${name} ${types[type as keyof typeof types]}`);
    const registered = [...read('docker/temporal/setup-namespace.sh').matchAll(/--name (\w+) --type (\w+)/g)].map(([, name, type]) => `${name} ${type}`);
    expect(set.length).toBeGreaterThan(0);
    expect(registered.toSorted()).toEqual(set.toSorted());
  });
});

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');
  const from = lines.filter((line) => line.startsWith('FROM '));
  const runtime = lines.slice(lines.findIndex((line) => line.endsWith(' AS runtime')));

  it('should build in stages of pinned images and end in the runtime one (D5)', () => {
    expect(from.map((line) => line.split(' ').at(-1))).toEqual(['build', 'dependencies', 'runtime']);
    for (const line of from) expect(line).toMatch(/^FROM node:24(\.\d+)*-slim AS /);
  });

  it('should run as another user than root, without development packages or sources (RELIABILITY, security)', () => {
    expect(runtime.filter((line) => line.startsWith('USER '))).toEqual(['USER node']);
    expect(runtime.filter((line) => line.startsWith('COPY --from=')).map((line) => line.split(' ').slice(1, 3).join(' '))).toEqual([
      '--from=dependencies /app/node_modules', '--from=build /app/dist',
    ]);
    expect(lines).toContain('RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev');
    expect(runtime).toContain('ENTRYPOINT ["node", "dist/src/bin/reintegro.js"]');
  });

  it('should let nothing into the build but what it copies', () => {
    const allowed = read('.dockerignore').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(read('.dockerignore').split('\n')[0]).toBe('*');
    const copied = lines.filter((line) => /^COPY (?!--)/.test(line)).flatMap((line) => line.split(' ').slice(1, -1));
    expect([...new Set(copied)].toSorted()).toEqual(allowed.toSorted());
    for (const path of allowed) expect(existsSync(join(ROOT, path)), path).toBe(true);
  });

  it('should bring scripts for the containers that a shell can run', () => {
    for (const folder of ['docker/postgres', 'docker/temporal']) {
      for (const file of readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.sh'))) {
        expect(read(`${folder}/${file}`)).toMatch(/^#!\/bin\/sh\n[^]*\nset -eu\n/);
      }
    }
  });
});
