import { setCurrentDetails } from '@temporalio/workflow';

/** What a person reads on the page of a Workflow in the Temporal Web UI (A6). No personal data. */
export interface Details {
  readonly title: string;
  readonly status: string;
  readonly lines: readonly string[];
  readonly waitsFor: string | null;
  readonly unblockedBy: string | null;
}

/** Renders the current details as Markdown. Pure. */
export function renderDetails(details: Details): string {
  const rows = [`**${details.title}**`, '', `Status: **${details.status}**`, '', ...details.lines.map((line) => `- ${line}`)];
  if (details.waitsFor !== null) rows.push('', `Waits for: ${details.waitsFor}`);
  if (details.unblockedBy !== null) rows.push('', `Who may unblock it: ${details.unblockedBy}`);
  return rows.join('\n');
}

/** Shows the details on the Workflow's page. */
export function showDetails(details: Details): void {
  setCurrentDetails(renderDetails(details));
}
