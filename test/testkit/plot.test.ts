import t from 'tap'
import { type LinePlot, plotFile } from '../../testkit/plot.js'

const plot = (...values: number[]): LinePlot => ({
  title: 'a & b',
  unit: 'ms',
  x: { title: 'connections', marks: values.map((_, at) => ({ at, text: String(at) })) },
  lines: [{ name: 'p50', points: values.map((y, x) => ({ x, y, low: y / 2, high: y * 2 })) }]
})
const numbers = (svg: string, attribute: string) => [...svg.matchAll(new RegExp(` ${attribute}="([^"]+)"`, 'g'))].map(([, value]) => Number(value))

t.test('everything drawn lies within the picture, whatever its size', async (t) => {
  for (const values of [[0, 0], [0.0004, 0.002], [3, 7, 5], [99_999, 1_000_001]]) {
    const svg = plotFile([plot(...values)])
    for (const attribute of ['x1', 'x2', 'cx']) t.ok(numbers(svg, attribute).every((x) => x >= 0 && x <= 720), `${attribute} of ${values.join()}`)
    for (const attribute of ['y1', 'y2', 'cy']) t.ok(numbers(svg, attribute).every((y) => y >= 0 && y <= 280), `${attribute} of ${values.join()}`)
  }
})

t.test('a larger value stands higher', async (t) => {
  const [first, second, third] = numbers(plotFile([plot(1, 3, 2)]), 'cy')
  t.ok(second! < third! && third! < first!)
})

t.test('text is escaped', async (t) => {
  t.match(plotFile([plot(1)]), 'a &amp; b, ms')
})
