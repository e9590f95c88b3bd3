import { describe, expect, it } from 'vitest';

import { cacheDirectory } from '../../src/embedded/cache-directory.ts';

describe('cacheDirectory', () => {
  it('should prefer the explicit folder, then XDG, then the home folder, and take empty for unset (D4)', () => {
    const homeDirectory = '/home/someone';
    expect(cacheDirectory({ explicit: '/explicit', xdgCacheHome: '/xdg', homeDirectory })).toBe('/explicit');
    expect(cacheDirectory({ explicit: '', xdgCacheHome: '/xdg', homeDirectory })).toBe('/xdg/reintegro');
    expect(cacheDirectory({ explicit: undefined, xdgCacheHome: '', homeDirectory })).toBe('/home/someone/.cache/reintegro');
  });
});
