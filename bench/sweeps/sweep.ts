import type { LinePlot } from '../../testkit/plot.js'
import { spread, type Spread } from '../figures.js'
import type { Rig } from '../placing/rig.js'
import { table } from '../text-table.js'

/** How cost grows along one axis. */
export interface Sweep {
  /** As --sweep takes it. */
  name: string
  /** What the axis counts. */
  axis: string
  how: string
  points: readonly number[]
  /** Every figure with its unit; those of one unit share a plot. */
  units: Record<string, string>
  /** Once for each point, before its rounds. */
  prepare? (rig: Rig, point: number): Promise<void>
  measure (rig: Rig, point: number): Promise<Record<string, number>>
}

export interface SweptPoint { at: number, figures: Record<string, Spread> }

/** Every point over all rounds, the first point first. @param largest points above it are left out */
export async function measureSweep (sweep: Sweep, rig: Rig, largest: number): Promise<SweptPoint[]> {
  const swept: SweptPoint[] = []
  for (const at of sweep.points.filter((point) => point <= largest)) {
    await sweep.prepare?.(rig, at)
    const rounds: Array<Record<string, number>> = []
    while (rounds.length < rig.settings.rounds) rounds.push(await sweep.measure(rig, at))
    const figures = Object.fromEntries(Object.keys(sweep.units).map((figure) => [figure, spread(rounds.map((round) => round[figure]!))]))
    swept.push({ at, figures })
    console.log(`  ${at.toLocaleString('en')} ${sweep.axis}: ${Object.entries(figures).map(([figure, { median }]) => `${figure} ${plain(median)} ${sweep.units[figure]}`).join('; ')}`)
  }
  return swept
}

export function printSweep ({ axis, units }: Sweep, swept: readonly SweptPoint[]): void {
  const figures = Object.entries(units)
  table([axis, ...figures.map(([figure, unit]) => `${figure}, ${unit}`), ''], swept.map(({ at, figures: found }) => [
    at.toLocaleString('en'),
    ...figures.map(([figure]) => inWords(found[figure]!)),
    ''
  ]))
}

/** The points stand at equal distances: every axis grows by factors, or by one. */
export function plotsOf ({ axis, units }: Sweep, swept: readonly SweptPoint[]): LinePlot[] {
  const marks = swept.map(({ at }, x) => ({ at: x, text: at.toLocaleString('en') }))
  return [...new Set(Object.values(units))].map((unit) => {
    const figures = Object.keys(units).filter((figure) => units[figure] === unit)
    const lines = figures.map((figure) => ({
      name: figure,
      points: swept.map(({ figures: found }, x) => {
        const { min, median, max } = found[figure]!
        return { x, y: median, low: min, high: max }
      })
    }))
    return { title: figures.length === 1 ? figures[0]! : `by ${axis}`, unit, x: { title: axis, marks }, lines }
  })
}

function inWords ({ min, median, max }: Spread): string {
  return min === max ? plain(median) : `${plain(median)} (${plain(min)} to ${plain(max)})`
}

function plain (value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 3 })
}
