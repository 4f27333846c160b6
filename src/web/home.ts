const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

const ADDRESSES: readonly (readonly [path: string, what: string])[] = [
  ['/fhir/metadata', 'CapabilityStatement of the FHIR R4 API'],
  ['/fhir/.well-known/smart-configuration', 'SMART App Launch discovery'],
  ['/.well-known/webhook-keys', 'keys that sign notifications to subscribers'],
  ['/readyz', 'whether the server can serve'],
  ['/metrics', 'Prometheus metrics'],
];

/** What is here, as one small page without scripts. */
export function homePage(baseUrl: string): string {
  const rows = ADDRESSES.map(([path, what]) => `<li><a href="${path}">${path}</a> ${what}</li>`).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Vitalwire</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-weight: 600; }
li { margin: .3rem 0; }
</style>
</head>
<body>
<h1>Vitalwire</h1>
<p>Device readings in, FHIR out. The FHIR base is <code>${escapeHtml(baseUrl)}/fhir</code>; devices and gateways post to <code>${escapeHtml(baseUrl)}/ingest/readings</code>.</p>
<ul>
${rows}
</ul>
</body>
</html>
`;
}
