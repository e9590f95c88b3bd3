/** How much chance a test takes: `quick` on everybody's machine, `full` where FULL_SAMPLES is set, as `.ci/run` does. Both meet the same ways. */
export function sampleSize({ quick, full }: { readonly quick: number; readonly full: number }): number {
  return isFullSample() ? full : quick;
}

/** Whether this run takes large samples, of which shares may be asserted. */
export function isFullSample(): boolean {
  return process.env['FULL_SAMPLES'] === '1';
}
