import { ratio, spread, type Spread } from '../figures.js'
import type { Rig } from '../placing/rig.js'
import type { Settings } from '../settings.js'
import { table } from '../text-table.js'
import type { RoundResult, Path, Target } from './path.js'

export interface Line extends Spread { what: string, unit: string }

export interface Judged { what: string, value: number, asked: string, met: boolean | null }

/** Every figure of a path over its rounds, and what was asked of it. */
export interface Summary {
  path: string
  title: string
  how: string
  lines: Line[]
  /** Of each round's pair. */
  ratio: { ours: string, yardstick: string, rounds: number[] } & Spread | null
  targets: Judged[]
}

/** All rounds of a path, each printed when it is over. */
export async function measurePath (path: Path, rig: Rig): Promise<RoundResult[]> {
  console.log(`\n${path.title(rig.settings)}`)
  await path.prepare?.(rig)
  const rounds: RoundResult[] = []
  while (rounds.length < (path.rounds ?? rig.settings.rounds)) {
    const result = await path.measure(rig)
    rounds.push(result)
    const known = Object.entries(path.units).filter(([figure]) => typeof result.figures[figure] === 'number')
    console.log(`  round ${rounds.length}: ${known.map(([figure, unit]) => `${figure} ${shown(result.figures[figure]!)} ${unit}`).join('; ')}`)
    if (result.attention) console.log(`  ATTENTION: ${result.attention}`)
  }
  return rounds
}

export function summarize (path: Path, rounds: readonly RoundResult[], settings: Settings): Summary {
  const valuesOf = (figure: string) => rounds.map(({ figures }) => figures[figure] ?? Number.NaN)
  const [ours, yardstick] = path.ratio ?? []
  const each = ours === undefined ? null : ratio(valuesOf(ours), valuesOf(yardstick!)).rounds
  const judge = ({ figure, bound, limit, of }: Target): Judged => {
    const { median, max } = spread(figure === 'ratio' ? each! : valuesOf(figure))
    const value = of === 'max' ? max : median
    const unit = figure === 'ratio' ? '' : ` ${path.units[figure]}`
    return {
      what: `${path.title(settings)}: ${figure === 'ratio' ? `${ours} / ${yardstick}` : figure}`,
      value,
      asked: `${bound === 'at least' ? '>=' : '<='} ${limit.toLocaleString('en')}${unit}`,
      met: Number.isNaN(value) ? null : bound === 'at least' ? value >= limit : value <= limit
    }
  }
  return {
    path: path.name,
    title: path.title(settings),
    how: path.how,
    lines: Object.entries(path.units).map(([what, unit]) => ({ what, unit, ...spread(valuesOf(what)) })),
    ratio: each === null ? null : { ours: ours!, yardstick: yardstick!, rounds: each, ...spread(each) },
    targets: path.targets(settings).map(judge)
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
