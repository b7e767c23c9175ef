import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Overview as Look } from '../../clients/typescript/src/types.gen.js'
import { useLoaded } from '../load.js'
import { Plot } from '../parts/plot.js'
import { Empty, Failure, Loading } from '../parts/states.js'
import { Status } from '../parts/status.js'
import { span, Time } from '../parts/time.js'
import { to } from '../route.js'

const EVERY_MS = 2000
/** Ten minutes. */
const KEPT = 300

interface Point { at: number, accepted: number | null, booked: number | null, queue: number | null, fallback: number | null, p50: number | null, p99: number | null }
/** Kept while other pages are looked at. */
const points = signal<Point[]>([])
let before: Look | null = null

/** After a pause two looks lie too far apart to tell a rate of now; a counter that fell was begun anew. */
function rateOf (now: number | null, then: number | null | undefined, seconds: number): number | null {
  if (now === null || then === null || then === undefined) return null
  return seconds > 10 || now < then ? null : (now - then) / seconds
}

function levelsOf ({ queue, fallback, delay }: Look): Pick<Point, 'queue' | 'fallback' | 'p50' | 'p99'> {
  return { queue: queue?.messages ?? null, fallback: fallback?.events ?? null, p50: delay?.p50 ?? null, p99: delay?.p99 ?? null }
}

function add (look: Look): void {
  if (before?.at === look.at) return
  const at = Date.parse(look.at) / 1000
  const seconds = before ? at - Date.parse(before.at) / 1000 : Infinity
  const point = {
    at,
    accepted: rateOf(look.accepted, before?.accepted, seconds),
    booked: rateOf(look.booked, before?.booked, seconds),
    ...levelsOf(look)
  }
  before = look
  points.value = [...points.value.slice(1 - KEPT), point]
}

const whole = (value: number): string => value >= 10_000 ? `${Math.round(value / 1000)}k` : value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1)

export function Overview () {
  const { data, error, loading, reload } = useLoaded<Look>('overview', EVERY_MS)
  useEffect(() => { if (data) add(data) }, [data])
  return (
    <>
      <h1>Overview</h1>
      {error && <Failure error={error} onRetry={reload} />}
      {loading ? <Loading rows={10} /> : data && <Numbers look={data} />}
    </>
  )
}

function Numbers ({ look }: { look: Look }) {
  const [times, known] = [points.value.map(({ at }) => at), points.value]
  const line = (label: string, color: string, of: (point: Point) => number | null) => ({ label, color, values: known.map(of) })
  return (
    <>
      <Findings look={look} />
      <div class='tiles'>
        <Tile name='Parked' value={look.parked === null ? '–' : String(look.parked.open)} href={to('parked')} bad={(look.parked?.open ?? 0) > 0} />
        <QueueTile queue={look.queue} />
        <Tile name='Fallback queue' value={look.fallback === null ? '–' : String(look.fallback.events)} note={look.fallback?.oldest_seconds == null ? 'empty' : `oldest ${span(look.fallback.oldest_seconds)}`} />
        {look.told?.map(({ name, lag, lag_seconds: seconds, holder }) => <Tile key={name} name={`To tell: ${name}`} value={String(lag)} note={seconds === null ? holder === null ? 'no relay' : 'nothing left' : `oldest ${span(seconds)}`} bad={holder === null} />)}
        {look.webhooks && <Tile name='Webhooks failing' value={String(look.webhooks.failing)} note={look.webhooks.disabled > 0 ? `${look.webhooks.disabled} disabled` : `of ${look.webhooks.enabled}`} href={to('webhooks')} bad={look.webhooks.failing + look.webhooks.disabled > 0} />}
      </div>
      <div class='plots'>
        <Plot title='Order events a second' times={times} format={whole} least={10} lines={[line('accepted', '--plot-1', (point) => point.accepted), line('booked', '--plot-2', (point) => point.booked)]} />
        <Plot title='From acceptance to booking' times={times} format={span} least={0.05} lines={[line('p50', '--plot-1', (point) => point.p50), line('p99', '--plot-3', (point) => point.p99)]} />
        <Plot title='Messages in the queue' times={times} format={whole} least={10} lines={[line('messages', '--plot-1', (point) => point.queue)]} />
        <Plot title='Events in the fallback queue' times={times} format={whole} least={10} lines={[line('events', '--plot-1', (point) => point.fallback)]} />
      </div>
      <h2>Services</h2>
      <div class='scroll'>
        <table>
          <thead><tr><th scope='col'>Service</th><th scope='col'>State</th><th scope='col'>Since</th></tr></thead>
          <tbody>{Object.entries(look.services).map(([name, { state, since, lacks }]) => <tr key={name}><th scope='row'>{name}</th><td><Status word={state} />{lacks && ` refuses ${lacks.join(', ')}`}</td><td><Time at={since} ago /></td></tr>)}</tbody>
        </table>
      </div>
      <p class='quiet'>As the api sees them that answered. Looked at <Time at={look.at} />.</p>
    </>
  )
}

function QueueTile ({ queue }: Pick<Look, 'queue'>) {
  if (queue === null) return <Tile name='Queue' value='–' note='not known' />
  return <Tile name='Queue' value={String(queue.messages)} note={`${queue.workers} ${queue.workers === 1 ? 'worker' : 'workers'}`} bad={queue.workers === 0} />
}

function Findings ({ look }: { look: Look }) {
  return (
    <section aria-label='What is wrong now' class='findings'>
      {look.findings.length === 0
        ? <Empty>Nothing is wrong now.</Empty>
        : look.findings.map(({ mark, subject, check, found, advice }) => (
          <div key={`${subject} ${check}`} class={`notice ${mark}`}>
            <p><Status word={mark} /> <b>{subject}: {check}</b> – {found}</p>
            {advice !== null && <p>What to do: {advice}.</p>}
          </div>
        ))}
    </section>
  )
}

function Tile ({ name, value, note, href, bad = false }: { name: string, value: string, note?: string, href?: string, bad?: boolean }) {
  const inside = <><span class='name'>{name}</span><span class='value'>{value}</span><span class='note'>{note ?? ' '}</span></>
  return href === undefined ? <div class={`tile ${bad ? 'bad' : ''}`}>{inside}</div> : <a class={`tile ${bad ? 'bad' : ''}`} href={href}>{inside}</a>
}
