import { useEffect, useRef } from 'preact/hooks'
import Chart from 'uplot'

export interface Line {
  label: string
  /** Of the style sheet: `--plot-1` */
  color: string
  values: Array<number | null>
}

const HEIGHT = 150
const TEN_MINUTES = 600

/** Lines over time, which moves on as points are added. @param times Unix seconds @param format of a value @param least the height at the least: what is small is not blown up */
export function Plot ({ title, times, lines, format, least }: { title: string, times: number[], lines: Line[], format: (value: number) => string, least: number }) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<Chart | null>(null)
  const latest = useRef(format)
  latest.current = format
  const end = useRef(0)
  end.current = times.at(-1) ?? Date.now() / 1000

  useEffect(() => {
    const element = box.current!
    const draw = (): void => {
      plot.current?.destroy()
      const style = getComputedStyle(element)
      const [ink, grid] = [style.getPropertyValue('--quiet'), style.getPropertyValue('--line')]
      const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font: '11px system-ui' }
      plot.current = new Chart({
        width: element.clientWidth,
        height: HEIGHT,
        cursor: { y: false },
        legend: { show: false },
        scales: {
          x: { range: () => [end.current - TEN_MINUTES, end.current] },
          y: { range: (_plot, _low, high) => [0, Math.max(high ?? 0, least) * 1.1] }
        },
        series: [{}, ...lines.map(({ label, color }) => ({ label, stroke: style.getPropertyValue(color), width: 2, points: { show: false }, spanGaps: false }))],
        axes: [axis, { ...axis, size: 56, values: (_plot, values) => values.map((value) => latest.current(value)) }]
      }, [times, ...lines.map(({ values }) => values)] as Chart.AlignedData, element)
    }
    draw()
    const sized = new ResizeObserver(() => { plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }) })
    sized.observe(element)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', draw)
    return () => {
      sized.disconnect()
      dark.removeEventListener('change', draw)
      plot.current?.destroy()
      plot.current = null
    }
  }, [])
  useEffect(() => { plot.current?.setData([times, ...lines.map(({ values }) => values)] as Chart.AlignedData) }, [times])

  return (
    <figure class='plot'>
      <figcaption>
        <span>{title}</span>
        {lines.map(({ label, color, values }) => {
          const last = values.at(-1)
          return <span key={label} class={`key ${color.slice(2)}`}>{label} <b>{last === null || last === undefined ? '–' : format(last)}</b></span>
        })}
      </figcaption>
      <div class='canvas' ref={box} role='img' aria-label={`${title}, the last ten minutes`} />
    </figure>
  )
}
