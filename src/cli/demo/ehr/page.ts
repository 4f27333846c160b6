/** The EHR's own page as HTML. It is complete without scripts; the script only keeps it fresh. */
import { createHash } from 'node:crypto';
import type { Feed, Row } from './chart.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';
import type { Person } from './subscriber.ts';

export interface PatientState {
  readonly id: string;
  readonly rows: readonly Row[];
  readonly feed: Feed;
}

export interface Shown extends PatientState {
  readonly person: Person;
}

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
  'x-content-type-options': 'nosniff',
} as const;

const escapeHtml = (text: string): string =>
  text.replace(
    /[&<>"']/g,
    (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c] as string,
  );

function years(birthDate: string, now: number): string {
  const today = new Date(now).toISOString();
  const full =
    Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4)) - (today.slice(5, 10) < birthDate.slice(5, 10) ? 1 : 0);
  return Number.isFinite(full) ? `${full} years` : '';
}

function row(patient: string, r: Row): string {
  const value = r.at === '' ? '<td class="value none">–</td>' : `<td class="value">${escapeHtml(r.value)}</td>`;
  return `<tr id="${escapeHtml(`${patient}-${r.key}`)}"><th scope="row">${escapeHtml(r.label)}</th>${value}<td class="unit">${escapeHtml(r.unit)}</td>
<td class="trend"><svg width="60" height="22" aria-hidden="true"><polyline points="" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round"/></svg></td>
<td class="time"><time datetime="${escapeHtml(r.at)}">${escapeHtml(r.at.slice(11, 19))}</time><span class="age"></span></td></tr>`;
}

function card({ person, id, rows, feed }: Shown, now: number): string {
  const about = [person.identifier, person.gender, years(person.birthDate, now)].filter(Boolean).join(' · ');
  return `<section aria-labelledby="${escapeHtml(id)}-name"><h2 id="${escapeHtml(id)}-name">${escapeHtml(person.name)}</h2><p class="who">${escapeHtml(about)}</p>
<table><caption>Latest vital signs of ${escapeHtml(person.name)}</caption>
<thead><tr><th scope="col">Measurement</th><th scope="col" class="value">Value</th><th scope="col" class="unit">Unit</th><th scope="col" class="trend"><span class="hidden">Trend</span></th><th scope="col" class="time">Measured</th></tr></thead>
<tbody>${rows.map((r) => row(id, r)).join('\n')}</tbody></table>
<p class="feed" id="${escapeHtml(id)}-feed"><span class="what">Subscription ${escapeHtml(feed.status)} · event ${feed.lastEvent} · </span><span class="missing">${feed.missing.length === 0 ? 'none' : feed.missing.length} missing</span></p></section>`;
}

/** @param lastNews milliseconds since 1970 of the last notification, 0 before the first */
export function renderPage(patients: readonly Shown[], lastNews: number, now: number): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ward overview · hospital EHR (demo)</title><noscript><meta http-equiv="refresh" content="3"></noscript><style>${STYLE}</style></head>
<body data-news="${lastNews}"><header><h1>Ward overview</h1><p class="state" id="state"><span id="said" role="status">Connecting</span><span id="news"></span></p></header>
<main>${patients.map((p) => card(p, now)).join('\n')}</main>
<footer><p>This page belongs to the demo's hospital EHR, a program of its own. It learns everything by FHIR Subscription: each new
reading of these patients is pushed to it. The patients are simulated and their readings are marked as test data (HTEST);
in their bodies ten minutes pass each second.</p></footer>
<script>${SCRIPT}</script></body></html>`;
}
