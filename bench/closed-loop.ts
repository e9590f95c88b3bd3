/** One thing that a client asks for: answers the id of the Workflow that did it, `null` when there is nothing left to ask for. */
export type Operation = () => Promise<string | null>;

/** How long and how hard. */
export interface LoopOptions {
  /** Each asks again as soon as it was answered. */
  readonly clients: number;
  /** How long they do so at least before the window begins, milliseconds. */
  readonly rampMs: number;
  /** How long the window is at least, milliseconds. */
  readonly windowMs: number;
}

/** What the clients saw inside the window. */
export interface LoopFigures<Reading> {
  /** At the beginning and at the end of the window. */
  readonly readings: readonly [start: Reading, end: Reading];
  readonly seconds: number;
  /** Of those answered inside the window, milliseconds. */
  readonly latencies: readonly number[];
  /** The last Workflows of the window, a few. */
  readonly workflowIds: readonly string[];
  /** Before the window as well. */
  readonly failures: number;
  readonly firstFailure: string | null;
}

interface Answer {
  readonly took: number;
  readonly workflowId: string;
}

/** A moment at which an answer came. */
interface Mark<Reading> {
  readonly at: number;
  /** How many had come by then. */
  readonly answers: number;
  readonly reading: Promise<Reading>;
}

const MAX_FAILURES = 50;
const SAMPLES = 3;

/**
 * Has clients do one operation after the other, and reads something at both ends of a window; what was answered in between counts. Clients that
 * began together are answered in waves when the machine is slow: a window therefore begins and ends with an answer, after each client has had
 * one, and holds whole turns of all clients. Ends early when there is nothing left to ask for, or nothing but failures.
 */
export async function closedLoop<Reading>(operation: Operation, { clients, rampMs, windowMs }: LoopOptions, read: () => Promise<Reading>): Promise<LoopFigures<Reading>> {
  const answers: Answer[] = [];
  const failures: unknown[] = [];
  const begun = performance.now();
  let start: Mark<Reading> | undefined;
  let end: Mark<Reading> | undefined;
  const mark = (): Mark<Reading> => ({ at: performance.now(), answers: answers.length, reading: read() });
  const finish = (): Mark<Reading> => (end ??= mark());
  const answered = (): void => {
    if (start === undefined) {
      if (answers.length >= clients && performance.now() - begun >= rampMs) start = mark();
    } else if (performance.now() - start.at >= windowMs && (answers.length - start.answers) % clients === 0) finish();
  };
  const client = async (): Promise<void> => {
    while (end === undefined) {
      const asked = performance.now();
      try {
        const workflowId = await operation();
        if (workflowId === null) return void finish();
        answers.push({ took: performance.now() - asked, workflowId });
        if (end === undefined) answered();
      } catch (error) {
        failures.push(error);
        if (failures.length >= MAX_FAILURES) finish();
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return figuresOf(answers, failures, start, finish());
}

async function figuresOf<Reading>(answers: readonly Answer[], failures: readonly unknown[], started: Mark<Reading> | undefined, end: Mark<Reading>): Promise<LoopFigures<Reading>> {
  // It may have ended before its window began.
  const start = started ?? end;
  const inside = answers.slice(start.answers, end.answers);
  return {
    readings: [await start.reading, await end.reading], seconds: (end.at - start.at) / 1000, latencies: inside.map(({ took }) => took),
    workflowIds: inside.slice(-SAMPLES).map(({ workflowId }) => workflowId), failures: failures.length, firstFailure: failures.length === 0 ? null : String(failures[0]),
  };
}
