import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { findExecutableUnder } from './executable-lookup.ts';
import { runToEnd } from './run-to-end.ts';

/** Longest that the SDK's download may take before the next source is tried. */
const SDK_DOWNLOAD_TIMEOUT_MS = 90_000;

/** Which of the two servers the SDK's test kit knows how to download. */
type SdkServerKind = 'dev-server' | 'test-server';

/** Name of the downloaded program in the folder, its pinned version (`v1.5.1`) and which server it is. */
export interface SdkDownload {
  readonly kind: SdkServerKind;
  readonly version: string;
  readonly file: string;
}

/**
 * Downloads a Temporal server by the SDK's own means into a folder.
 * The SDK offers no way to stop a download that hangs and installs signal handlers of its own, hence the separate process.
 */
export async function downloadWithSdk(directory: string, download: SdkDownload): Promise<void> {
  const downloads = join(directory, 'download');
  await mkdir(downloads);
  const source = fileURLToPath(new URL('./sdk-download-main.ts', import.meta.url));
  // Beside compiled files lies a compiled program.
  const program = source.replace(/\.ts$/, extname(import.meta.url));
  // The SDK connects to what it downloaded, and would ask a proxy even for that; the download itself may need the proxy.
  const args = ['no_proxy=localhost,127.0.0.1', process.execPath, program, download.kind, download.version, downloads];
  await runToEnd('env', args, { timeoutMs: SDK_DOWNLOAD_TIMEOUT_MS, withIpc: true });
  const found = await findExecutableUnder(downloads);
  if (found === undefined) throw new Error('the SDK downloaded no program');
  await rename(found, join(directory, download.file));
  await chmod(join(directory, download.file), 0o755);
  await rm(downloads, { recursive: true, force: true });
}
