import { type Ratio, ratio, spread, type Spread } from './figures.js'
import type { Options } from './options.js'
import type { Pair, Round } from './round.js'

export interface Target { what: string, value: number, target: string, met: boolean }

export interface Summary {
  lines: Array<{ what: string, unit: string } & Spread>
  ratios: Array<{ what: string } & Ratio>
  targets: Target[]
}

export function summarize (rounds: readonly Round[], { connections }: Options): Summary {
  const each = (read: (round: Round) => number) => rounds.map(read)
  const pair = (name: 'worker_running' | 'worker_stopped', side: keyof Pair) => each((round) => round[name][side].rate)
  const [bare, running] = [pair('worker_running', 'bare'), pair('worker_running', 'api')]
  const [bareStopped, stopped] = [pair('worker_stopped', 'bare'), pair('worker_stopped', 'api')]
  const [drained, unnest] = [each(({ drain }) => drain.rate), each((round) => round.unnest.rate)]
  const line = (what: string, unit: string, values: number[]) => ({ what, unit, ...spread(values) })
  const accepted = { what: 'accepted / bare, worker running', ...ratio(running, bare) }
  const memory = (name: 'api' | 'worker') => Math.max(...each(({ memory_mib: mib }) => mib[name] ?? Number.NaN))
  return {
    lines: [
      line('bare Fastify (before worker running)', 'requests/s', bare),
      line('accepted, worker running', 'orders/s', running),
      line('  its latency, median', 'ms', each((round) => round.worker_running.api.latency_ms.p50)),
      line('  its latency, 99th percentile', 'ms', each((round) => round.worker_running.api.latency_ms.p99)),
      line('  processor time of bare Fastify', 'us/request', each((round) => round.worker_running.bare.cpu_us ?? Number.NaN)),
      line('  processor time of the api', 'us/order', each((round) => round.worker_running.api.cpu_us ?? Number.NaN)),
      line('bare Fastify (before worker stopped)', 'requests/s', bareStopped),
      line('accepted, worker stopped', 'orders/s', stopped),
      line('drained, from the first batch', 'orders/s', drained),
      line('drained, from the start of the process', 'orders/s', each(({ drain }) => drain.rate_from_start)),
      line('  processor time of the worker', 'us/order', each(({ drain }) => drain.cpu_us ?? Number.NaN)),
      line('plain unnest insert of the same rows', 'orders/s', unnest)
    ],
    ratios: [
      accepted,
      { what: 'accepted / bare, worker stopped', ...ratio(stopped, bareStopped) },
      { what: 'drained / plain unnest insert', ...ratio(drained, unnest) }
    ],
    targets: [
      ...(connections === 256 ? [atLeast('accepted / bare at 256 connections, authenticated, worker running', accepted.median, 0.25)] : []),
      atLeast('drained, from the first batch, orders/s', spread(drained).median, 20_000),
      below('api, largest resident size, MiB', memory('api'), 200),
      below('worker, largest resident size, MiB', memory('worker'), 200)
    ]
  }
}

function atLeast (what: string, value: number, limit: number): Target {
  return { what, value, target: `>= ${limit}`, met: value >= limit }
}

function below (what: string, value: number, limit: number): Target {
  return { what, value, target: `< ${limit}`, met: value < limit }
}

export function printSummary ({ lines, ratios, targets }: Summary): void {
  table(['', 'min', 'median', 'max', ''], lines.map(({ what, unit, min, median, max }) => [what, shown(min), shown(median), shown(max), unit]))
  table(['ratio', 'of medians', 'each round'], ratios.map(({ what, median, rounds }) => [what, median.toFixed(2), rounds.map((value) => value.toFixed(2)).join(' ')]))
  table(['target', 'is', 'asked', ''], targets.map(({ what, value, target, met }) => [what, shown(value), target, met ? 'met' : Number.isNaN(value) ? '' : 'MISSED']))
}

function shown (value: number): string {
  if (Number.isNaN(value)) return 'not measured'
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2)
}

export function table (head: string[], rows: string[][]): void {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  const pad = (text: string, column: number) => column === 0 || column === head.length - 1 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)
  console.log()
  for (const row of all) console.log(row.map(pad).join('  ').trimEnd())
}
