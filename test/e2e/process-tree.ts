import { readdir, readFile } from 'node:fs/promises';
import { isAlive, processIdentity, signalIfAlive } from '../../src/embedded/process-identity.ts';
import type { ProcessIdentity } from '../../src/embedded/process-identity.ts';

/** A process and all that descend from it at this moment, itself first. From /proc. */
export async function processTree(rootPid: number): Promise<readonly ProcessIdentity[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = new Map(await Promise.all(pids.map(async (pid) => [pid, await parentOf(pid)] as const)));
  const tree = [rootPid];
  // The list grows while it is walked: children of children are found in their turn.
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  const identities = await Promise.all(tree.map(processIdentity));
  return identities.filter((identity) => identity !== undefined);
}

/** SIGKILL to all of them, in one go: none has time to notice that another is gone. */
export function killAll(processes: readonly ProcessIdentity[]): void {
  for (const { pid } of processes) signalIfAlive(pid, 'SIGKILL');
}

/** Those of them that still live. */
export async function stillAlive(processes: readonly ProcessIdentity[]): Promise<readonly ProcessIdentity[]> {
  const alive = await Promise.all(processes.map(isAlive));
  return processes.filter((_, index) => alive[index]);
}

async function parentOf(pid: number): Promise<number | undefined> {
  // One that ended meanwhile has no parent any more.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
  return parent === undefined ? undefined : Number(parent);
}
