import { escape, htmlPage, htmlTable } from '../testkit/html.js'
import { type LinePlot, plotInPage } from '../testkit/plot.js'
import { OUTCOMES } from './outcome.js'
import type { Report } from './report.js'
import type { Second } from './tally.js'

const STYLE = '\nb.kept { color: #2da44e } b.broken { color: #cf222e }'
const MOST_MARKS = 12

/** One page that stands alone: what came and what became of it over time, latencies, each action. */
export function writePage (report: Report): string {
  const { broken, latency, own, rate } = report
  const verdict = broken.length === 0 ? '<b class="kept">within its bounds</b>' : `<b class="broken">not within its bounds</b>: ${escape(broken.join('; '))}`
  return htmlPage(`Traffic, seed ${report.seed}`, STYLE, `<h1>Traffic</h1>
<p>${escape(report.to)}, seed ${report.seed}, ${report.seconds} s, ${rate.asked} arrivals a second on average (${report.curve}): ${verdict}.</p>
<p>${report.arrivals} arrivals, ${report.begun} begun (${rate.begun} a second), ${report.dropped} dropped. Latency is taken from the moment that a visit was meant for.</p>
${plotInPage(ratePlot(report.over_time))}
${plotInPage(latencyPlot(report.over_time))}
<h2>Latency, ms</h2>
${htmlTable(['', 'p50', 'p90', 'p99', 'p99.9', 'largest'], [
    ['from the intended moment', ...figures(latency)],
    ['of that, begun late by this program', ...figures(own.begun_late)]
  ])}
<p>This program's event loop was late by ${own.loop_delay_p99_ms} ms at p99, ${own.loop_delay_max_ms} ms at most.</p>
<h2>Actions</h2>
${htmlTable(['action', ...Object.keys(OUTCOMES), 'p50, ms', 'p99, ms', 'largest, ms'], Object.entries(report.actions).map(([name, of]) => [
    name, ...(Object.keys(OUTCOMES) as Array<keyof typeof OUTCOMES>).map((outcome) => of[outcome]), of.p50_ms, of.p99_ms, of.max_ms
  ]))}
${htmlTable(['outcome', 'meaning'], Object.entries(OUTCOMES))}
${htmlTable(['what was not ok', 'count'], Object.entries(report.reasons))}`)
}

function figures (of: Report['latency']): number[] {
  return [of.p50_ms, of.p90_ms, of.p99_ms, of.p99_9_ms, of.max_ms]
}

function ratePlot (seconds: readonly Second[]): LinePlot {
  return overTime('Visits', 'a second', seconds, { arrived: ({ due }) => due, ended: ({ ended }) => ended, dropped: ({ dropped }) => dropped, 'failed or wrong': ({ failed }) => failed })
}

function latencyPlot (seconds: readonly Second[]): LinePlot {
  return overTime('Latency of what ended', 'ms', seconds, { p50: ({ p50_ms }) => p50_ms, p99: ({ p99_ms }) => p99_ms })
}

function overTime (title: string, unit: string, seconds: readonly Second[], lines: Record<string, (second: Second) => number>): LinePlot {
  const step = Math.max(1, Math.ceil(seconds.length / MOST_MARKS))
  const marks = seconds.flatMap((_, at) => at % step === 0 ? [{ at, text: String(at) }] : [])
  return { title, unit, x: { title: 'seconds', marks }, lines: Object.entries(lines).map(([name, of]) => ({ name, points: seconds.map((second, x) => ({ x, y: of(second) })) })) }
}
