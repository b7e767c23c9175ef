import { escape, htmlPage, htmlTable } from '../../testkit/html.js'
import { type LinePlot, plotInPage, type Point } from '../../testkit/plot.js'
import { spread } from '../figures.js'
import type { Machine } from '../setup/machine.js'
import type { RoundResult } from './path.js'
import { inWords, shown, type Summary } from './report.js'

export interface Page { at: string, machine: Machine, how: readonly string[], summary: readonly Summary[], rounds: Record<string, readonly RoundResult[]> }

const PERCENTILE_MARKS = [10, 50, 90, 99, 99.9, 99.99]

/** One page that stands alone: targets, then each path with its figures, its latencies by percentile and what it did over time. */
export function reportPage ({ at, machine, how, summary, rounds }: Page): string {
  const { busy, ...facts } = machine
  return htmlPage(`Bench, ${at}`, '.missed { color: #cf222e } .met { color: #2da44e }', `
<h1>Bench</h1>
<p>${escape(at)}</p>
${busy === null ? '' : `<p class="missed">${escape(busy)}</p>`}
<h2>Targets</h2>
${htmlTable(['target', 'is', 'asked', ''], summary.flatMap(({ targets }) => targets.map(({ what, value, asked, met }) => [what, shown(value), asked, met === null ? '' : met ? 'met' : 'MISSED'])))}
${summary.map((path) => section(path, rounds[path.path]!)).join('\n')}
<h2>How it was made</h2>
<ul>${how.map((line) => `<li>${escape(line)}`).join('')}</ul>
${htmlTable(['machine', ''], Object.entries(facts).map(([name, value]) => [name, typeof value === 'object' ? Object.entries(value).map((pair) => pair.join(' ')).join(', ') : String(value)]))}`)
}

function section ({ title, how, lines, ratio }: Summary, rounds: readonly RoundResult[]): string {
  const attention = rounds.flatMap(({ attention = [] }) => attention)
  return `<h2>${escape(title)}</h2>
<p>${escape(how)}</p>
${attention.map((line) => `<p class="missed">${escape(line)}</p>`).join('\n')}
${htmlTable(['', 'min', 'median', 'max', 'ratio', ''], lines.map(({ what, unit, min, median, max }) => [what, shown(min), shown(median), shown(max), ratio?.ours === what ? inWords(ratio) : '', unit]))}
${[...latencyPlots(rounds), ...timePlots(rounds)].map(plotInPage).join('\n')}`
}

function latencyPlots (rounds: readonly RoundResult[]): LinePlot[] {
  const names = Object.keys(rounds[0]?.latencies ?? {})
  if (names.length === 0) return []
  const lines = names.map((name) => {
    const [first, ...others] = rounds.map(({ latencies }) => new Map(latencies![name]))
    const shared = [...first!.keys()].filter((percentile) => others.every((one) => one.has(percentile)))
    return { name, points: shared.map((percentile) => point(nines(percentile), [first!, ...others].map((one) => one.get(percentile)!))) }
  })
  const reached = Math.max(...lines.flatMap(({ points }) => points.map(({ x }) => x)))
  const marks = PERCENTILE_MARKS.map((percentile) => ({ at: nines(percentile), text: String(percentile) })).filter(({ at }) => at <= reached)
  return [{ title: 'Latency by percentile', unit: 'ms', x: { title: 'percentile', marks }, lines }]
}

function timePlots (rounds: readonly RoundResult[]): LinePlot[] {
  const [first] = rounds
  if (first?.over_time === undefined) return []
  const lines = Object.keys(first.over_time.lines).map((name) => {
    const series = rounds.map(({ over_time: time }) => time!.lines[name]!)
    const shortest = Math.min(...series.map(({ length }) => length))
    return { name, points: Array.from({ length: shortest }, (_, second) => point(second, series.map((values) => values[second]!))) }
  })
  const longest = Math.max(...lines.map(({ points }) => points.length))
  if (longest === 0) return []
  const step = Math.ceil(longest / 12)
  const marks = Array.from({ length: Math.ceil(longest / step) }, (_, index) => ({ at: index * step, text: String(index * step) }))
  return [{ title: 'Each whole second', unit: first.over_time.unit, x: { title: 'seconds', marks }, lines }]
}

/** The median of the rounds, and between which they lie. */
function point (x: number, values: readonly number[]): Point {
  const { min, median, max } = spread(values)
  return { x, y: median, low: min, high: max }
}

/** 90, 99, 99.9 at equal distances. */
function nines (percentile: number): number {
  return -Math.log10(1 - percentile / 100)
}
