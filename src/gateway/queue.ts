/**
 * Which device's readings go next. Each device is one FIFO with at most one batch in flight, so its readings arrive in the
 * order in which they came; different devices travel side by side. Devices that are up to date ("live") go before those that
 * have something to catch up ("backlog", oldest first), four batches to one while both wait.
 */
import { limits } from '../base/limits.ts';
import { backoffMs } from './retry.ts';
import type { Place, Spool, Waiting } from './spool.ts';

interface Device {
  head: Place;
  count: number;
  busy: boolean;
  /** Batches in a row on which the server broke; such a device travels alone, so that it holds up no other. */
  faults: number;
  faultySince: number;
  notBefore: number;
}

export interface QueueBatch {
  readonly adapter: string;
  readonly devices: readonly string[];
  readonly items: readonly Waiting[];
}

export interface Queue {
  added(places: readonly Place[]): void;
  /** The next batch, whose devices are busy until `done`; undefined when nothing may go now. */
  next(now: number): QueueBatch | undefined;
  /** The batch is over, `settled` of its items are off the spool. */
  done(batch: QueueBatch, settled: readonly number[]): void;
  /** The server broke on this batch. */
  faulted(batch: QueueBatch, now: number): void;
  /** When a device that waits for its back-off may go; undefined when none does. */
  wakeAt(): number | undefined;
}

const LIVE_BATCHES_PER_BACKLOG_BATCH = 4;
const ITEMS_PER_DEVICE_MIN = 50;

const FRESH = { busy: false, faults: 0, faultySince: 0, notBefore: 0 };

export function createQueue(spool: Spool, random: () => number = Math.random): Queue {
  return new DeviceQueue(spool, random);
}

class DeviceQueue implements Queue {
  readonly #spool: Spool;
  readonly #random: () => number;
  readonly #devices = new Map<string, Device>();
  #liveInARow = 0;

  constructor(spool: Spool, random: () => number) {
    this.#spool = spool;
    this.#random = random;
    for (const { count, ...head } of spool.heads()) this.#devices.set(head.device, { ...FRESH, head, count });
  }

  added(places: readonly Place[]): void {
    for (const place of places) {
      const device = this.#devices.get(place.device);
      if (device) device.count++;
      else this.#devices.set(place.device, { ...FRESH, head: place, count: 1 });
    }
  }

  next(now: number): QueueBatch | undefined {
    const lane = this.#lane(now);
    if (lane.length === 0) return undefined;
    const batch = collect(this.#spool, together(lane));
    return batch.items.length > 0 ? batch : undefined;
  }

  /** The devices that may go now, oldest first: the live ones, or those with a backlog when it is their turn. */
  #lane(now: number): readonly Device[] {
    const live: Device[] = [];
    const backlog: Device[] = [];
    for (const d of this.#devices.values()) {
      if (d.busy || d.notBefore > now) continue;
      (now - d.head.received <= limits.gatewayLiveMsMax ? live : backlog).push(d);
    }
    const turn = live.length === 0 || this.#liveInARow >= LIVE_BATCHES_PER_BACKLOG_BATCH;
    const backlogGoes = backlog.length > 0 && turn;
    this.#liveInARow = backlogGoes ? 0 : this.#liveInARow + 1;
    return (backlogGoes ? backlog : live).sort((a, b) => a.head.seq - b.head.seq);
  }

  done(batch: QueueBatch, settled: readonly number[]): void {
    const off = new Set(settled);
    const moved = new Map<string, number>();
    for (const { seq, device } of batch.items) if (off.has(seq)) moved.set(device, (moved.get(device) ?? 0) + 1);
    for (const name of batch.devices) {
      const device = this.#devices.get(name) as Device;
      device.busy = false;
      const items = moved.get(name);
      if (items === undefined) continue;
      device.faults = 0;
      device.notBefore = 0;
      device.count -= items;
      const head = device.count > 0 ? this.#spool.head(name) : undefined;
      if (head) device.head = head;
      else this.#devices.delete(name);
    }
  }

  faulted(batch: QueueBatch, now: number): void {
    for (const name of batch.devices) {
      const device = this.#devices.get(name) as Device;
      if (device.faults === 0) device.faultySince = now;
      device.notBefore = now + backoffMs(device.faults, now - device.faultySince, this.#random());
      device.faults++;
    }
  }

  wakeAt(): number | undefined {
    let at: number | undefined;
    for (const d of this.#devices.values())
      if (!d.busy && d.notBefore > 0 && (at === undefined || d.notBefore < at)) at = d.notBefore;
    return at;
  }
}

/** The devices of one batch: the first, and those that can go with it. */
function together(lane: readonly Device[]): readonly Device[] {
  const first = lane[0] as Device;
  if (first.faults > 0) return [first];
  return lane.filter((d) => d.faults === 0 && d.head.adapter === first.head.adapter);
}

/** Marks the devices busy and reads their oldest items: at most 500, at most 1 MiB, in the order in which they came. */
function collect(spool: Spool, chosen: readonly Device[]): QueueBatch {
  const { gatewayBatchItemsMax: itemsMax, gatewayBatchBytesMax: bytesMax } = limits;
  const adapter = (chosen[0] as Device).head.adapter;
  const share = Math.max(ITEMS_PER_DEVICE_MIN, Math.ceil(itemsMax / chosen.length));
  const items: Waiting[] = [];
  const names: string[] = [];
  let bytes = 0;
  for (const device of chosen) {
    const room = Math.min(share, itemsMax - items.length);
    if (room <= 0 || bytes >= bytesMax) break;
    // After a fault ever smaller parts, down to the one item that the server breaks on.
    const quota = device.faults === 0 ? room : Math.max(1, room >> Math.min(device.faults, 16));
    const before = items.length;
    for (const item of spool.take(device.head.device, quota)) {
      if (item.adapter !== adapter || (items.length > 0 && bytes + item.body.length > bytesMax)) break;
      items.push(item);
      bytes += item.body.length;
    }
    if (items.length === before) break;
    device.busy = true;
    names.push(device.head.device);
  }
  items.sort((a, b) => a.seq - b.seq);
  return { adapter, devices: names, items };
}
