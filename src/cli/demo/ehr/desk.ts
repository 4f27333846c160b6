/** What the hospital knows: one chart a patient, fed by notifications, watched by browsers and by whoever counts. */
import type { Clock } from '../../../base/clock.ts';
import { Chart } from './chart.ts';
import { type Notification, type NotifiedEvent, parseNotification } from './notification.ts';
import type { PatientState } from './page.ts';

export interface Arrival {
  readonly patient: string;
  readonly event: NotifiedEvent;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export class Desk {
  readonly #clock: Clock;
  readonly #charts: ReadonlyMap<string, Chart>;
  readonly #arrived: (arrival: Arrival) => void;
  readonly #watchers = new Set<(name: 'patient' | 'news', data: string) => void>();
  lastNews = 0;

  constructor(patients: readonly string[], clock: Clock, arrived: (arrival: Arrival) => void) {
    this.#clock = clock;
    this.#arrived = arrived;
    this.#charts = new Map(patients.map((id) => [id, new Chart()]));
  }

  knows(patient: string): boolean {
    return this.#charts.has(patient);
  }

  state(patient: string): PatientState {
    const chart = this.#charts.get(patient) as Chart;
    return { id: patient, rows: chart.rows, feed: chart.feed };
  }

  /**
   * @param text body of a notification for this patient
   * @throws Error when it is none: then it is not acknowledged, and comes again
   */
  take(patient: string, text: string): void {
    this.takeEvents(patient, parseNotification(text));
  }

  /** Of a notification that was pushed, or of `$events`. */
  takeEvents(patient: string, notification: Notification): void {
    const chart = this.#charts.get(patient) as Chart;
    const at = this.#clock.now();
    // A handshake says "requested"; the subscription is active once it was answered.
    if (notification.type !== 'query-event')
      chart.status = notification.type === 'handshake' ? 'active' : notification.status;
    for (const event of notification.events) if (chart.take(event)) this.#arrived({ patient, event, at });
    if (notification.type === 'heartbeat') chart.expect(notification.total);
    this.lastNews = at;
    this.#tell('patient', JSON.stringify(this.state(patient)));
    this.#tell('news', String(at));
  }

  /** @returns how to stop watching */
  watch(watcher: (name: 'patient' | 'news', data: string) => void): () => void {
    for (const id of this.#charts.keys()) watcher('patient', JSON.stringify(this.state(id)));
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #tell(name: 'patient' | 'news', data: string): void {
    for (const watcher of this.#watchers) watcher(name, data);
  }
}
