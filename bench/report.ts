import { ratio, spread, type Spread } from './figures.js'
import type { Options } from './options.js'
import type { Players } from './players.js'
import type { Played, Road, Target } from './road.js'

export interface Line extends Spread { what: string, unit: string }

export interface Judged { what: string, value: number, asked: string, met: boolean | null }

/** Every figure of a road over its rounds, and what was asked of it. */
export interface Summary {
  road: string
  title: string
  how: string
  lines: Line[]
  /** Of each round's pair. */
  ratio: { ours: string, yardstick: string, rounds: number[] } & Spread | null
  targets: Judged[]
}

/** All rounds of a road, each printed when it is over. */
export async function playRoad (road: Road, players: Players): Promise<Played[]> {
  console.log(`\n${road.title(players.options)}`)
  await road.prepare?.(players)
  const rounds: Played[] = []
  while (rounds.length < (road.rounds ?? players.options.rounds)) {
    const played = await road.play(players)
    rounds.push(played)
    const known = Object.entries(road.units).filter(([figure]) => typeof played.figures[figure] === 'number')
    console.log(`  round ${rounds.length}: ${known.map(([figure, unit]) => `${figure} ${shown(played.figures[figure]!)} ${unit}`).join('; ')}`)
    if (played.attention) console.log(`  ATTENTION: ${played.attention}`)
  }
  return rounds
}

export function summarize (road: Road, rounds: readonly Played[], options: Options): Summary {
  const valuesOf = (figure: string) => rounds.map(({ figures }) => figures[figure] ?? Number.NaN)
  const [ours, yardstick] = road.ratio ?? []
  const each = ours === undefined ? null : ratio(valuesOf(ours), valuesOf(yardstick!)).rounds
  const judge = ({ figure, bound, limit, of }: Target): Judged => {
    const { median, max } = spread(figure === 'ratio' ? each! : valuesOf(figure))
    const value = of === 'max' ? max : median
    const unit = figure === 'ratio' ? '' : ` ${road.units[figure]}`
    return {
      what: `${road.title(options)}: ${figure === 'ratio' ? `${ours} / ${yardstick}` : figure}`,
      value,
      asked: `${bound === 'at least' ? '>=' : '<='} ${limit.toLocaleString('en')}${unit}`,
      met: Number.isNaN(value) ? null : bound === 'at least' ? value >= limit : value <= limit
    }
  }
  return {
    road: road.name,
    title: road.title(options),
    how: road.how,
    lines: Object.entries(road.units).map(([what, unit]) => ({ what, unit, ...spread(valuesOf(what)) })),
    ratio: each === null ? null : { ours: ours!, yardstick: yardstick!, rounds: each, ...spread(each) },
    targets: road.targets(options).map(judge)
  }
}

export function printSummary (summaries: readonly Summary[]): void {
  const rows = summaries.flatMap(({ title, lines, ratio: pair }) => [
    [title, '', '', '', '', ''],
    ...lines.map(({ what, unit, min, median, max }) => [`  ${what}`, shown(min), shown(median), shown(max), pair?.ours === what ? inWords(pair) : '', unit])
  ])
  table(['', 'min', 'median', 'max', 'ratio', ''], rows)
  table(['target', 'is', 'asked', ''], summaries.flatMap(({ targets }) => targets.map(({ what, value, asked, met }) => [what, shown(value), asked, met === null ? '' : met ? 'met' : 'MISSED'])))
}

/** The median of the rounds' ratios, and where they lie. */
export function inWords ({ min, median, max }: Spread): string {
  return min === max ? median.toFixed(2) : `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`
}

export function shown (value: number): string {
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
