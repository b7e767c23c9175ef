/** Line plots as SVG, plain enough for a README and readable on light and dark ground. */
import { escape } from './html.js'

export interface Point {
  x: number
  y: number
  /** Between which the rounds lie. */
  low?: number
  high?: number
}

export interface Plot {
  title: string
  /** Of y, which begins at 0. */
  unit: string
  x: { title: string, marks: ReadonlyArray<{ at: number, text: string }> }
  lines: ReadonlyArray<{ name: string, points: readonly Point[] }>
}

const [WIDTH, HEIGHT] = [720, 280]
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 24, 56, 44]
const MARKS = 5
/** Points closer than that are a line alone. */
const MOST_SPOTS = 60
const COLOURS = ['#218bff', '#d4622a', '#2da44e', '#a475f9', '#bf8700', '#e85aad']

/** Colours of middling lightness: where nobody asks for the reader's preference they still show on either ground. */
export const PLOT_STYLE = `
.plot text { font: 12px system-ui, sans-serif; fill: #6e7781 } .plot .title { font-weight: 600 }
.plot .grid { stroke: #8c959f; stroke-opacity: .35 } .plot path { fill: none; stroke-width: 2 }
${COLOURS.map((colour, index) => `.plot .c${index} { stroke: ${colour} } .plot circle.c${index}, .plot text.c${index} { fill: ${colour}; stroke: none }`).join('\n')}
@media (prefers-color-scheme: dark) { .plot text { fill: #9ea7b3 } }`

/** A file with these plots below one another. */
export function plotFile (plots: readonly Plot[]): string {
  const height = HEIGHT * plots.length
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img"><style>${PLOT_STYLE}</style>
${plots.map((plot, index) => `<g transform="translate(0 ${index * HEIGHT})">${draw(plot)}</g>`).join('\n')}
</svg>
`
}

/** For a page that has PLOT_STYLE. */
export function plotInPage (plot: Plot): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">${draw(plot)}</svg>`
}

function draw (plot: Plot): string {
  const scale = scaleOf(plot)
  const drawn = plot.lines.map(({ points }, index) => drawLine(points, `c${index % COLOURS.length}`, plot.unit, scale))
  return `<g class="plot"><text class="title" x="${LEFT}" y="18">${escape(plot.title)}, ${escape(plot.unit)}</text>${legend(plot)}${axes(plot, scale)}${drawn.join('')}</g>`
}

interface Scale { x (value: number): string, y (value: number): string, step: number }

function scaleOf ({ x: { marks }, lines }: Plot): Scale {
  const points = lines.flatMap((line) => line.points)
  const across = [...marks.map(({ at }) => at), ...points.map(({ x }) => x)]
  const [first, last] = [Math.min(...across), Math.max(...across)]
  const step = roundStep(Math.max(...points.map(({ y, high = y }) => high), 1e-9) / MARKS)
  return {
    x: (value) => (LEFT + (value - first) / (last - first || 1) * (WIDTH - LEFT - RIGHT)).toFixed(1),
    y: (value) => (HEIGHT - BOTTOM - value / (step * MARKS) * (HEIGHT - TOP - BOTTOM)).toFixed(1),
    step
  }
}

/** The next round number. */
function roundStep (least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((step) => step >= least * 0.999)!
}

function axes ({ x: { title, marks } }: Plot, { x, y, step }: Scale): string {
  const grid = Array.from({ length: MARKS + 1 }, (_, index) => index * step).map((value) =>
    `<line class="grid" x1="${LEFT}" y1="${y(value)}" x2="${WIDTH - RIGHT}" y2="${y(value)}"/><text x="${LEFT - 8}" y="${y(value)}" dy=".35em" text-anchor="end">${plain(value)}</text>`)
  const below = marks.map(({ at, text }) => `<text x="${x(at)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${escape(text)}</text>`)
  return `${grid.join('')}${below.join('')}<text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escape(title)}</text>`
}

function legend ({ lines }: Plot): string {
  let left = LEFT
  return lines.map(({ name }, index) => {
    const text = `<text class="c${index % COLOURS.length}" x="${left}" y="38">● ${escape(name)}</text>`
    left += (name.length + 4) * 7
    return text
  }).join('')
}

function drawLine (points: readonly Point[], colour: string, unit: string, { x, y }: Scale): string {
  const path = points.map((point, index) => `${index === 0 ? 'M' : 'L'}${x(point.x)},${y(point.y)}`).join('')
  const spot = (point: Point) => {
    const { low = point.y, high = point.y } = point
    const whisker = low === high ? '' : `<line class="${colour}" x1="${x(point.x)}" y1="${y(low)}" x2="${x(point.x)}" y2="${y(high)}"/>`
    return `${whisker}<circle class="${colour}" cx="${x(point.x)}" cy="${y(point.y)}" r="3"><title>${plain(point.y)} ${escape(unit)}</title></circle>`
  }
  return `<path class="${colour}" d="${path}"/>${points.length > MOST_SPOTS ? '' : points.map(spot).join('')}`
}

function plain (value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 6 })
}
