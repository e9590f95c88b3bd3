import type { Dispatcher } from 'undici';
import { describe, expect, it, vi } from 'vitest';
import { Exchange } from '../../../src/providers/wire/exchange.ts';
import { failureOf } from './golden.ts';

function fakeController() {
  const abort = vi.fn<(reason: Error) => void>();
  return { controller: { abort } as unknown as Dispatcher.DispatchController, abort };
}

describe('Exchange', () => {
  it('should refuse to be written a second time, and say unknown (S4)', async () => {
    const exchange = new Exchange({ label: 'Conekta', deadlineMs: 60_000, maxBodyBytes: 10 });
    const first = fakeController();
    const second = fakeController();
    exchange.onRequestStart(first.controller);
    exchange.onRequestStart(second.controller);
    expect(first.abort).not.toHaveBeenCalled();
    expect(second.abort).toHaveBeenCalledOnce();
    exchange.onResponseError(second.controller, new Error('aborted'));
    expect((await failureOf(exchange.answer)).kind).toBe('unknown');
  });

  it('should not be written any more once it was given up as not sent (S4)', async () => {
    const exchange = new Exchange({ label: 'Conekta', deadlineMs: 0, maxBodyBytes: 10 });
    expect((await failureOf(exchange.answer)).kind).toBe('not_sent');
    const late = fakeController();
    exchange.onRequestStart(late.controller);
    expect(late.abort).toHaveBeenCalledOnce();
  });
});
