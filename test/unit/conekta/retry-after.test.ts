import { describe, expect, it } from 'vitest';
import { RETRY_AFTER_CAP_MS, parseRetryAfter } from '../../../src/providers/wire/retry-after.ts';

const NOW_MS = Date.UTC(2026, 10, 20, 12, 0, 0);

describe('parseRetryAfter', () => {
  it.each([
    ['0', 0],
    ['7', 7000],
    [' 12 ', 12_000],
    ['300', RETRY_AFTER_CAP_MS],
    ['301', RETRY_AFTER_CAP_MS],
    ['999999999999', RETRY_AFTER_CAP_MS],
    ['Fri, 20 Nov 2026 12:00:30 GMT', 30_000],
    ['Fri, 20 Nov 2099 12:00:30 GMT', RETRY_AFTER_CAP_MS],
    ['Fri, 20 Nov 2026 11:59:30 GMT', undefined],
    ['Fri, 99 Nov 2026 12:00:30 GMT', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['Infinity', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('should read %j as %j milliseconds, capped (S4)', (header, expected) => {
    expect(parseRetryAfter(header, NOW_MS)).toBe(expected);
  });
});
