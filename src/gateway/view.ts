/** What a nurse sees on the gateway itself while the server is out of reach: the latest reading of each device. */
import { instant } from '../base/clock.ts';
import { limits } from '../base/limits.ts';

export interface GatewayStatus {
  readonly connected: boolean;
  readonly waiting: number;
  /** Reception of the oldest item that waits. */
  readonly oldest: string | null;
  /** Items that the server refused for good. */
  readonly rejected: number;
  /** This clock minus the server's. */
  readonly skewMs: number | null;
  readonly lastAck: string | null;
}

interface Row {
  readonly device: string;
  readonly what: string;
  readonly value: string;
  readonly at: number;
}

export interface View {
  saw(adapter: string, item: Record<string, unknown>, at: number): void;
  page(status: GatewayStatus): string;
}

const escapeHtml = (text: string): string =>
  text.replace(
    /[&<>"']/g,
    (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c] as string,
  );

const text = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 80) : '';

const list = (value: unknown): readonly Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter((v): v is Record<string, unknown> => typeof v === 'object' && v !== null) : [];

/** `37.2 Cel`, or `systolic 121, diastolic 79 mm[Hg]`. */
function shownValue(item: Record<string, unknown>): string {
  const own = `${text(item['value'])} ${text(item['unit'])}`.trim();
  const parts = list(item['components']).slice(0, 4);
  const units = new Set(parts.map((c) => text(c['unit'])));
  const unit = units.size === 1 ? [...units][0] : undefined;
  const inner = parts.map((c) =>
    `${text(c['kind'])} ${text(c['value'])} ${unit === undefined ? text(c['unit']) : ''}`.trim(),
  );
  return own || `${inner.join(', ')} ${unit ?? ''}`.trim() || 'received';
}

export function createView(): View {
  /** By device and kind, least recently seen first. In memory: a restart starts with an empty page. */
  const rows = new Map<string, Row>();
  return {
    saw(adapter, item, at) {
      const device = item['device'] as { identifier?: unknown } | undefined;
      const name = text(list(device?.identifier)[0]?.['value']);
      const what = text(item['kind']) || adapter;
      const key = `${name} ${what}`;
      rows.delete(key);
      rows.set(key, { device: name, what, value: shownValue(item), at });
      if (rows.size > limits.gatewayViewDevicesMax) rows.delete(rows.keys().next().value as string);
    },
    page: (status) =>
      render(
        [...rows.values()].sort((a, b) => a.device.localeCompare(b.device)),
        status,
      ),
  };
}

function render(rows: readonly Row[], status: GatewayStatus): string {
  const body = rows
    .map(
      (r) =>
        `<tr><th scope="row">${escapeHtml(r.device)}</th><td>${escapeHtml(r.what)}</td><td>${escapeHtml(r.value)}</td><td>${instant(r.at).slice(11, 19)} UTC</td></tr>`,
    )
    .join('\n');
  const state = status.connected ? 'Connected to the server' : 'Not connected: readings are kept here and sent later';
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5"><title>Vitalwire gateway</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:66rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}caption{text-align:left;padding-bottom:.5rem}th{font-weight:600}th,td:last-child{white-space:nowrap}th,td{text-align:left;padding:.4rem .8rem .4rem 0;border-bottom:1px solid #8884;font-variant-numeric:tabular-nums}</style></head>
<body><h1>Vitalwire gateway</h1><p role="status">${state}. ${status.waiting} waiting, ${status.rejected} rejected.</p>
<table><caption>Latest reading of each device</caption><thead><tr><th scope="col">Device</th><th scope="col">Measurement</th><th scope="col">Value</th><th scope="col">Received</th></tr></thead>
<tbody>${body}</tbody></table></body></html>`;
}
