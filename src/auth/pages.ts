/** Pages of the authorization server for people. Plain, without scripts, never in a frame. */

const html = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** RFC 9700 §4.16: no framing; nothing is loaded from anywhere. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

function page(title: string, ...paragraphs: string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(title)} – Vitalwire</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 38rem; margin: 4rem auto; padding: 0 1rem; color: #1c2733; }
h1 { font-size: 1.4rem; }
</style>
</head>
<body>
<main>
<h1>${html(title)}</h1>
${paragraphs.map((text) => `<p>${html(text)}</p>`).join('\n')}
</main>
</body>
</html>
`;
}

/** SMART App Launch 2.2 app-launch: without a client that may use it there is nowhere to send the browser back to. */
export const authorizePage = page(
  'This app cannot sign you in here',
  'This server gives access to backend services only: programs that sign in with their own key. It offers no sign-in for people yet, so the app that sent you here gets no access, and nothing was shared with it.',
  'You can close this page.',
);

export const managePage = page(
  'Apps with access to your data',
  'No app has access through a sign-in of yours: this server offers no sign-in for people yet.',
  'Programs of the hospital and its devices are registered by the operator, who can see and disable them at any time.',
);

export const logoutPage = page('You are signed out', 'No session of yours is open on this server.');
