/** Runs in the browser: takes over what the server rendered and keeps it up to date by server-sent events. */
export const SCRIPT = `
'use strict';
const state = document.getElementById('state'), said = document.getElementById('said'), news = document.getElementById('news');
let lastNews = Number(document.body.dataset.news) || 0;
const ago = (ms) => { const s = Math.max(0, Math.round(ms / 1000)); return s < 1 ? 'now' : s < 90 ? s + ' s ago' : s < 5400 ? Math.round(s / 60) + ' min ago' : Math.round(s / 3600) + ' h ago'; };
const put = (cell, text) => { if (cell.textContent !== text) cell.textContent = text; };
function trend(cell, points) {
  if (points.length < 2) return;
  const low = Math.min(...points), span = Math.max(...points) - low || 1, step = 52 / (points.length - 1);
  const line = points.map((v, i) => (4 + i * step).toFixed(1) + ',' + (18 - 14 * (v - low) / span).toFixed(1)).join(' ');
  cell.querySelector('polyline').setAttribute('points', line);
}
function show(patient) {
  for (const r of patient.rows) {
    const row = document.getElementById(patient.id + '-' + r.key);
    if (!row || !r.at || row.dataset.at === r.at + r.value) continue;
    const first = row.dataset.at === undefined;
    row.dataset.at = r.at + r.value;
    const value = row.querySelector('.value');
    value.classList.remove('none');
    put(value, r.value); put(row.querySelector('.unit'), r.unit);
    const time = row.querySelector('time');
    time.dateTime = r.at; put(time, new Date(r.at).toLocaleTimeString([], { hour12: false }));
    trend(row.querySelector('.trend'), r.trend);
    row.classList.remove('fresh');
    if (!first) { void row.offsetWidth; row.classList.add('fresh'); }
  }
  const feed = document.getElementById(patient.id + '-feed'), f = patient.feed;
  feed.querySelector('.what').textContent = 'Subscription ' + f.status + ' · event ' + f.lastEvent + (f.repeated ? ' · ' + f.repeated + ' repeated' : '') + ' · ';
  const gap = feed.querySelector('.missing');
  gap.classList.toggle('gap', f.missing.length > 0);
  put(gap, f.missing.length ? f.missing.length + ' missing, being fetched' : 'none missing');
}
function tick() {
  const now = Date.now();
  for (const time of document.querySelectorAll('time')) if (time.dateTime) put(time.parentElement.querySelector('.age'), ago(now - Date.parse(time.dateTime)));
  const open = source.readyState === 1, live = open && now - lastNews < 15000;
  state.classList.toggle('live', live);
  put(said, live ? 'Live' : open ? 'No news from the server' : 'Connection to this page lost, trying again');
  put(news, lastNews ? ', last notification ' + ago(now - lastNews) : '');
}
const source = new EventSource('/stream');
source.addEventListener('patient', (e) => { const p = JSON.parse(e.data); show(p); });
source.addEventListener('news', (e) => { lastNews = Number(e.data); });
source.addEventListener('error', tick);
setInterval(tick, 500);
`;
