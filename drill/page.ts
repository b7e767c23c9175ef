import { escape, htmlPage, htmlTable as table } from '../bench/html.js'
import type { Figures, Request } from './availability.js'
import { VERDICTS } from './checker.js'
import type { Conclusion, Run } from './report.js'

export interface Page extends Run { figures: Figures, conclusion: Conclusion, requests: readonly Request[] }

const WIDTH = 1000
const HEIGHT = 220
const OUTCOMES = ['served', 'refused', 'unknown'] as const

const STYLE = `
:root { --served: #2da44e; --refused: #bf8700; --unknown: #cf222e; --fault: #8250df; --queue: #0969da; --outbox: #bc4c00 }
@media (prefers-color-scheme: dark) { :root { --served: #3fb950; --refused: #d29922; --unknown: #f85149; --fault: #a371f7; --queue: #58a6ff; --outbox: #f0883e } }
.served { fill: var(--served) } .refused { fill: var(--refused) } .unknown { fill: var(--unknown) } .fault { fill: var(--fault); opacity: .18 }
.queue, .outbox { fill: none; stroke-width: 1.5 } .queue { stroke: var(--queue) } .outbox { stroke: var(--outbox) } .axis { stroke: var(--line) }
b.held { color: var(--served) } b.violated, b.unknown { color: var(--unknown) }`

/** One page that stands alone: requests a second by outcome, faults as bands, what waits in queue and outbox. */
export function writePage (page: Page): string {
  const { figures, conclusion, options, load, samples } = page
  const seconds = Math.max(1, Math.ceil((Math.max(load.to, ...samples.map(({ at }) => at)) - load.from) / 1000))
  const depths = samples.flatMap(({ ready, outbox }) => [ready ?? 0, outbox ?? 0])
  return htmlPage(`Drill, seed ${options.seed}: ${conclusion.verdict}`, STYLE, `<h1>Drill: <b class="${conclusion.verdict}">${conclusion.verdict}</b></h1>
<p>${escape(conclusion.reasons.join('; '))}</p>
<p>Seed ${options.seed}, ${options.seconds} s at ${options.rate} requests a second. ${figures.requests} requests, ${(figures.availability * 100).toFixed(2)} % served, ${figures.orders_accepted} orders accepted, longest gap ${figures.longest_gap_s} s.</p>
<h2>Requests a second</h2>
<p>Served (2xx, 409, 412, 422), refused, without a certain answer; by the second in which they were sent. Bands: faults.</p>
${chart(seconds, `${bars(page, seconds)}${bands(page, seconds)}`, mostRequests(page, seconds))}
<h2>Waiting</h2>
<p>Messages ready in the queue (blue), rows in the outbox (orange); a gap: it could not be asked.</p>
${chart(seconds, `${line(page, seconds, 'ready', Math.max(1, ...depths))}${line(page, seconds, 'outbox', Math.max(1, ...depths))}${bands(page, seconds)}`, Math.max(1, ...depths))}
<h2>Faults</h2>
${table(['fault', 'served', 'requests', 'healed in, s', 'first order after, s', 'back at rate after, s'], figures.faults.map((fault) => [
    `${fault.fault}${fault.failure === '' ? '' : ` (failed: ${fault.failure})`}`, fault.availability === null ? '' : `${(fault.availability * 100).toFixed(2)} %`, fault.requests, fault.heal_s, fault.first_order_s ?? 'never', fault.back_at_rate_s ?? 'never'
  ]))}
<h2>Verdicts</h2>
${table(['verdict', 'count', 'meaning'], Object.entries(VERDICTS).map(([name, what]) => [name, page.verdicts[name as keyof typeof VERDICTS].length, what]))}
${Object.entries(page.verdicts).filter(([, evidence]) => evidence.length > 0).map(([name, evidence]) => `<h3>${name}</h3><ul>${evidence.slice(0, 50).map((one) => `<li>${escape(one)}`).join('')}</ul>`).join('\n')}
<h2>Answers</h2>
${table(['answer', 'count'], Object.entries(figures.answers).sort(([, a], [, b]) => b - a))}`)
}

function perSecond ({ requests, load }: Page, seconds: number): Array<Record<typeof OUTCOMES[number], number>> {
  const counts = Array.from({ length: seconds }, () => ({ served: 0, refused: 0, unknown: 0 }))
  for (const { at, served, outcome } of requests.filter((request) => request.at <= load.to)) {
    const count = counts[Math.floor((at - load.from) / 1000)]
    if (count !== undefined) count[served ? 'served' : outcome === 'fail' ? 'refused' : 'unknown']++
  }
  return counts
}

function mostRequests (page: Page, seconds: number): number {
  return Math.max(1, ...perSecond(page, seconds).map((count) => count.served + count.refused + count.unknown))
}

function bars (page: Page, seconds: number): string {
  const scale = HEIGHT / mostRequests(page, seconds)
  const width = WIDTH / seconds
  return perSecond(page, seconds).map((count, second) => {
    let top = HEIGHT
    return OUTCOMES.map((outcome) => {
      const height = count[outcome] * scale
      top -= height
      return height === 0 ? '' : `<rect class="${outcome}" x="${(second * width).toFixed(1)}" y="${top.toFixed(1)}" width="${Math.max(width - 0.5, 0.5).toFixed(1)}" height="${height.toFixed(1)}"><title>second ${second}: ${count[outcome]} ${outcome}</title></rect>`
    }).join('')
  }).join('')
}

function bands ({ figures }: Page, seconds: number): string {
  const scale = WIDTH / seconds
  return figures.faults.map(({ fault, from, to }, index) =>
    `<rect class="fault" x="${(from * scale).toFixed(1)}" y="0" width="${Math.max((to - from) * scale, 2).toFixed(1)}" height="${HEIGHT}"><title>${escape(fault)}</title></rect>` +
    `<text x="${(from * scale + 2).toFixed(1)}" y="${11 + index % 4 * 12}">${escape(fault.replace(/^[\d.]+ s +/, '').replace(/ for .*/, ''))}</text>`).join('')
}

function line ({ samples, load }: Page, seconds: number, name: 'ready' | 'outbox', most: number): string {
  let pen = 'M'
  const path = samples.map((sample) => {
    const value = sample[name]
    const move = pen
    pen = value === null ? 'M' : 'L'
    return value === null ? '' : `${move}${((sample.at - load.from) / 1000 * WIDTH / seconds).toFixed(1)},${(HEIGHT - value / most * HEIGHT).toFixed(1)}`
  }).join('')
  return `<path class="${name === 'ready' ? 'queue' : 'outbox'}" d="${path}"/>`
}

function chart (seconds: number, drawn: string, most: number): string {
  const step = Math.max(1, Math.ceil(seconds / 12))
  const ticks = Array.from({ length: Math.ceil(seconds / step) }, (_, index) => index * step)
    .map((second) => `<text x="${(second * WIDTH / seconds).toFixed(1)}" y="${HEIGHT + 14}">${second} s</text>`).join('')
  return `<svg viewBox="-2 -14 ${WIDTH + 4} ${HEIGHT + 34}" role="img"><text x="0" y="-4">${most}</text><line class="axis" x1="0" y1="${HEIGHT}" x2="${WIDTH}" y2="${HEIGHT}"/>${drawn}${ticks}</svg>`
}
