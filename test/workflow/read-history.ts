import { SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.ts';
import type { HistoryEvent } from './stage.ts';

/** An event's type in the spelling of its attributes: `timerFired`, `activityTaskScheduled`. */
export function typeOf(event: HistoryEvent): string {
  const key = Object.keys(event).find((name) => name.endsWith('EventAttributes')) ?? '';
  return key.slice(0, -'EventAttributes'.length);
}

/** How many events of a type a history has. */
export function countOf(events: readonly HistoryEvent[], type: string): number {
  return events.filter((event) => typeOf(event) === type).length;
}

/** The types of Activities in the order they were scheduled; local Activities are not among them. */
export function scheduledActivities(events: readonly HistoryEvent[]): readonly string[] {
  return events.flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
}

/** When the timer of so many seconds is due, milliseconds since 1970. @throws when there is none yet */
export function timerDueMs(events: readonly HistoryEvent[], seconds: number): number {
  const timer = events.find((event) => Number(event.timerStartedEventAttributes?.startToFireTimeout?.seconds) === seconds);
  if (timer?.eventTime === undefined || timer.eventTime === null) throw new Error(`there is no timer of ${seconds} seconds`);
  return Number(timer.eventTime.seconds) * 1000 + Number(timer.eventTime.nanos ?? 0) / 1e6 + seconds * 1000;
}

/** How long the timers run that were started, in their order, seconds. */
export function secondsOfTimers(events: readonly HistoryEvent[]): readonly number[] {
  return events.flatMap((event) => event.timerStartedEventAttributes ?? []).map((timer) => Number(timer.startToFireTimeout?.seconds));
}

/** What the search attribute said of a human's attention each time search attributes were written. */
export function needsAttentionUpserts(events: readonly HistoryEvent[]): readonly unknown[] {
  let last = false;
  return events.flatMap((event) => event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes ?? []).map(({ indexedFields: fields }) => {
    // Only what has changed is written.
    const told = fields?.[SEARCH_ATTRIBUTES.needsAttention.name]?.data;
    if (told) last = JSON.parse(Buffer.from(told).toString()) as boolean;
    return last;
  });
}
