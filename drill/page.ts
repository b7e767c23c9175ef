import * as Plot from '@observablehq/plot'
import { escape, htmlPage, htmlTable as table } from '../testkit/html.js'
import { draw } from '../testkit/plot.js'
import type { FaultFigures, Figures, Request } from './availability.js'
import { VERDICTS } from './checker.js'
import type { Sample } from './drain.js'
import type { Conclusion, Run } from './run.js'

export interface Page extends Run { figures: Figures, conclusion: Conclusion, requests: readonly Request[] }

const STYLE = `
:root { --served: #2da44e; --refused: #bf8700; --unknown: #cf222e; --fault: #8250df; --queue: #0969da; --fallback: #bc4c00 }
@media (prefers-color-scheme: dark) { :root { --served: #3fb950; --refused: #d29922; --unknown: #f85149; --fault: #a371f7; --queue: #58a6ff; --fallback: #f0883e } }
b.held { color: var(--served) } b.violated, b.unknown { color: var(--unknown) }`

/** One page that stands alone: requests a second by outcome, faults as bands, what waits in queue and fallback. */
export function writePage (page: Page): string {
  const { figures, conclusion, options, load, samples } = page
  const seconds = Math.max(1, Math.ceil((Math.max(load.to, ...samples.map(({ at }) => at)) - load.from) / 1000))
  return htmlPage(`Drill, seed ${options.seed}: ${conclusion.verdict}`, STYLE, `<h1>Drill: <b class="${conclusion.verdict}">${conclusion.verdict}</b></h1>
<p>${escape(conclusion.reasons.join('; '))}</p>
<p>Seed ${options.seed}, ${options.seconds} s at ${options.rate} requests a second. ${figures.requests} requests, ${(figures.availability * 100).toFixed(2)} % served, ${figures.orders_accepted} orders accepted, longest gap ${figures.longest_gap_s} s.</p>
<h2>Requests a second</h2>
<p>Served (2xx, 409, 412, 422), refused, without a certain answer; by the second in which they were sent. Bands: faults.</p>
${chart(seconds, [bars(page), ...bands(page)])}
<h2>Waiting</h2>
<p>Messages ready in the queue (blue), rows in the fallback queue (orange); a gap: it could not be asked.</p>
${chart(seconds, [line(page, 'ready', 'queue'), line(page, 'fallback', 'fallback'), ...bands(page)], Math.max(1, ...samples.flatMap(({ ready, fallback }) => [ready ?? 0, fallback ?? 0])))}
<h2>Faults</h2>
${table(['fault', 'served', 'requests', 'longest gap, s', 'healed in, s', 'first order after, s', 'back at rate after, s'], figures.faults.map((fault) => [
    `${fault.fault}${fault.failure === '' ? '' : ` (failed: ${fault.failure})`}`, fault.availability === null ? '' : `${(fault.availability * 100).toFixed(2)} %`, fault.requests, fault.gap_s, fault.heal_s, fault.first_order_s ?? 'never', fault.back_at_rate_s ?? 'never'
  ]))}
<h2>Verdicts</h2>
${table(['verdict', 'count', 'meaning'], Object.entries(VERDICTS).map(([name, what]) => [name, page.verdicts[name as keyof typeof VERDICTS].length, what]))}
${Object.entries(page.verdicts).filter(([, evidence]) => evidence.length > 0).map(([name, evidence]) => `<h3>${name}</h3><ul>${evidence.slice(0, 50).map((one) => `<li>${escape(one)}`).join('')}</ul>`).join('\n')}
<h2>Answers</h2>
${table(['answer', 'count'], Object.entries(figures.answers).sort(([, a], [, b]) => b - a))}`)
}

type Shown = 'served' | 'refused' | 'unknown'
/** From the axis up. */
const STACK: Shown[] = ['served', 'refused', 'unknown']
const NAME_ROWS = 4

interface Bar { from: number, outcome: Shown, count: number }

function bars ({ requests, load }: Page): Plot.Markish {
  const counts = new Map<string, Bar>()
  for (const { at, served, outcome: worst } of requests.filter((request) => request.at <= load.to)) {
    const outcome = served ? 'served' : worst === 'fail' ? 'refused' : 'unknown'
    const from = Math.floor((at - load.from) / 1000)
    const key = `${from} ${outcome}`
    counts.set(key, { from, outcome, count: (counts.get(key)?.count ?? 0) + 1 })
  }
  return Plot.rectY([...counts.values()].filter(({ from }) => from >= 0), {
    x1: 'from',
    x2: ({ from }: Bar) => from + 1,
    y: 'count',
    order: STACK,
    z: 'outcome',
    fill: ({ outcome }: Bar) => `var(--${outcome})`,
    title: ({ from, outcome, count }: Bar) => `second ${from}: ${count} ${outcome}`,
    inset: 0.25
  })
}

/** Faults over the whole height, their names in rows below one another. */
function bands ({ figures: { faults } }: Page): Plot.Markish[] {
  const least = 0.1
  const names = Array.from({ length: NAME_ROWS }, (_, row) => Plot.text(faults.filter((_, index) => index % NAME_ROWS === row), {
    x: 'from', text: ({ fault }: FaultFigures) => fault.replace(/^[\d.]+ s +/, '').replace(/ for .*/, ''), frameAnchor: 'top-left', dx: 2, dy: 2 + row * 12
  }))
  return [Plot.rect(faults, { x1: 'from', x2: ({ from, to }: FaultFigures) => Math.max(to, from + least), fill: 'var(--fault)', fillOpacity: 0.18, title: 'fault' }), ...names]
}

function line ({ samples, load }: Page, name: 'ready' | 'fallback', colour: string): Plot.Markish {
  return Plot.line(samples, { x: ({ at }: Sample) => (at - load.from) / 1000, y: (sample: Sample) => sample[name] ?? Number.NaN, stroke: `var(--${colour})` })
}

/** @param most of y, which begins at 0; as much as there is where this is missing */
function chart (seconds: number, marks: Plot.Markish[], most?: number): string {
  return draw({
    width: 1000,
    height: 260,
    marks,
    x: { domain: [0, seconds], label: 'seconds', labelArrow: 'none' },
    y: { label: null, grid: true, nice: true, ...(most === undefined ? { zero: true } : { domain: [0, most] }) }
  })
}
