/** The look of the EHR's page: quiet, readable at some distance, in the light or dark that the reader prefers. */
export const STYLE = `
:root { color-scheme: light dark; --ground: #f4f6f8; --card: #fff; --ink: #16202b; --soft: #55636f; --line: #e1e6ea; --accent: #0b6b80; --warn: #9a4b00 }
@media (prefers-color-scheme: dark) { :root { --ground: #10161c; --card: #18212a; --ink: #e8edf1; --soft: #9db0be; --line: #2a3641; --accent: #5cc3d6; --warn: #f0b070 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif }
header, main, footer { max-width: 96rem; margin: 0 auto; padding: 0 1.5rem }
header { display: flex; flex-wrap: wrap; gap: .25rem 2rem; align-items: baseline; padding-top: 1.5rem }
h1 { font-size: 1.4rem; font-weight: 600; margin: 0 }
h2 { font-size: 1.2rem; font-weight: 600; margin: 0 }
.state { margin: 0 0 0 auto; color: var(--soft) }
.state::before { content: ""; display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; background: var(--warn); margin-right: .5rem }
.state.live::before { background: var(--accent) }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1rem; padding-top: 1.25rem; padding-bottom: 1rem }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.1rem 1.1rem .9rem; container-type: inline-size }
.who, .feed, footer, caption { color: var(--soft); font-size: .875rem }
.who, .feed { margin: .1rem 0 0 }
.feed { padding-top: .75rem }
.feed .gap { color: var(--warn); font-weight: 600 }
table { width: 100%; border-collapse: collapse; margin-top: .6rem; font-variant-numeric: tabular-nums }
caption, .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
thead th { font-weight: 400; font-size: .8125rem; color: var(--soft); padding: .2rem 0 }
th { text-align: left; font-weight: 400 }
tbody th { white-space: nowrap; font-size: .9rem; padding-right: .5rem }
tbody th, td { border-top: 1px solid var(--line); padding: .4rem 0; vertical-align: middle }
.value { text-align: right; font-size: 1.25rem; font-weight: 600; line-height: 1.2; padding-right: .35rem; white-space: nowrap }
.unit { color: var(--soft); font-size: .875rem; white-space: nowrap; padding-right: .5rem }
.trend { width: 60px; color: var(--accent) }
.trend svg { display: block }
.time { text-align: right; color: var(--soft); font-size: .8125rem; white-space: nowrap }
.time .age { display: block; line-height: 1.3 }
.time time { line-height: 1.3 }
thead .value, thead .unit { font-size: .8125rem; font-weight: 400 }
thead .time { text-align: right }
.none { font-weight: 400; color: var(--soft) }
@container (max-width: 23rem) { .trend { display: none } .value { font-size: 1.1rem } .unit { padding-right: .2rem } tbody th { font-size: .875rem } }
@media (prefers-reduced-motion: no-preference) { tr.fresh .value { animation: fresh 1.8s ease-out } }
@keyframes fresh { from { color: var(--accent) } }
footer { padding-bottom: 2rem }
footer p { max-width: 60rem; margin: 0 }
`;
