import { join } from 'node:path';

/** What decides where fetched programs are kept. */
export interface CacheDirectoryOptions {
  /** REINTEGRO_CACHE_DIR. */
  readonly explicit: string | undefined;
  /** XDG_CACHE_HOME. */
  readonly xdgCacheHome: string | undefined;
  readonly homeDirectory: string;
}

/** The folder outside any checkout where fetched programs are kept; an empty variable counts as unset. */
export function cacheDirectory({ explicit, xdgCacheHome, homeDirectory }: CacheDirectoryOptions): string {
  if (explicit !== undefined && explicit !== '') return explicit;
  if (xdgCacheHome !== undefined && xdgCacheHome !== '') return join(xdgCacheHome, 'reintegro');
  return join(homeDirectory, '.cache', 'reintegro');
}
