/** Plots as SVG that stands alone, for a README or a page, on light and on dark ground. */
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'

export interface Point {
  x: number
  y: number
  /** Between which the rounds lie. */
  low?: number
  high?: number
}

export interface LinePlot {
  title: string
  /** Of y, which begins at 0. */
  unit: string
  x: { title: string, marks: ReadonlyArray<{ at: number, text: string }> }
  lines: ReadonlyArray<{ name: string, points: readonly Point[] }>
}

const [WIDTH, HEIGHT] = [720, 280]
/** Points closer than that are a line alone. */
const MOST_DOTS = 60
/** Of middling lightness: where nobody asks for the reader's preference they still show on either ground. */
const COLOURS = ['#218bff', '#d4622a', '#2da44e', '#a475f9', '#bf8700', '#e85aad']
const TEXT_STYLE = 'svg { color: #6e7781 } @media (prefers-color-scheme: dark) { svg { color: #9ea7b3 } }'

/** Only to draw in: nothing of it is ever shown. */
const { document } = parseHTML('<html></html>')

/** For a page: one <svg> as wide as there is room; its text has the colour of what is around it. */
export function draw (options: Plot.PlotOptions): string {
  return Plot.plot({ document, style: { background: 'none' }, ...options }).outerHTML
}

/** A file with these plots below one another. */
export function plotFile (plots: readonly LinePlot[]): string {
  const height = HEIGHT * plots.length
  const drawn = plots.map((plot, index) => `<g transform="translate(0 ${index * HEIGHT})">${draw({ ...optionsOf(plot), style: { width: `${WIDTH}px`, height: `${HEIGHT}px` } })}</g>`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img"><style>${TEXT_STYLE}</style>
${drawn.join('\n')}
</svg>
`
}

export function plotInPage (plot: LinePlot): string {
  return draw(optionsOf(plot))
}

function optionsOf ({ title, unit, x, lines }: LinePlot): Plot.PlotOptions {
  const points = lines.flatMap(({ name, points }) => points.map((point) => ({ name, low: point.y, high: point.y, ...point })))
  const across = [...x.marks.map(({ at }) => at), ...points.map(({ x }) => x)]
  const dotted = lines.filter((line) => line.points.length <= MOST_DOTS).map(({ name }) => name)
  const spots = points.filter(({ name }) => dotted.includes(name))
  return {
    width: WIDTH,
    height: HEIGHT,
    marginLeft: 64,
    marginRight: 24,
    marginTop: 56,
    marginBottom: 40,
    x: { domain: [Math.min(...across), Math.max(...across)], ticks: x.marks.map(({ at }) => at), tickFormat: (at: number) => x.marks.find((mark) => mark.at === at)?.text ?? '', label: x.title, labelAnchor: 'center', labelArrow: 'none', tickSize: 0 },
    y: { domain: [0, Math.max(...points.map(({ high }) => high)) || 1], nice: true, ticks: 5, grid: true, label: null, tickSize: 0 },
    color: { domain: lines.map(({ name }) => name), range: COLOURS },
    marks: [
      Plot.line(points, { x: 'x', y: 'y', stroke: 'name', strokeWidth: 2 }),
      Plot.ruleX(spots, { x: 'x', y1: 'low', y2: 'high', stroke: 'name' }),
      Plot.dot(spots, { x: 'x', y: 'y', fill: 'name', r: 3, title: ({ y }: Point) => `${plain(y)} ${unit}` }),
      Plot.text([`${title}, ${unit}`], { frameAnchor: 'top-left', dy: -44, fontWeight: 'bold' }),
      ...legend(lines.map(({ name }) => name))
    ]
  }
}

function legend (names: readonly string[]): Plot.Markish[] {
  let left = 0
  return names.map((name) => {
    const mark = Plot.text([name], { text: (name: string) => `● ${name}`, fill: (name: string) => name, frameAnchor: 'top-left', dx: left, dy: -22 })
    left += (name.length + 4) * 7
    return mark
  })
}

function plain (value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 6 })
}
