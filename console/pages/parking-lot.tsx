import { useState } from 'preact/hooks'
import type { CountedParked, Job, JobPage, ParkedEvent, ParkedGroups, SettleManyParked } from '../../clients/typescript/src/types.gen.js'
import { ask, query } from '../api.js'
import { useLoaded, usePages } from '../load.js'
import { useQuestion } from '../parts/dialog.js'
import { Progress } from '../parts/progress.js'
import { Code, Empty, Failure, Listed, Loading } from '../parts/states.js'
import { Status } from '../parts/status.js'
import { Time } from '../parts/time.js'
import { go, route, to } from '../route.js'

type Verb = 'replay' | 'discard'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const FIELDS = ['reason', 'source', 'order_id', 'text'] as const

/** What could not be booked: by reason, chosen one by one or all that match, replayed or discarded by a job. */
export function ParkingLot () {
  const { settled = '', ...given } = route.value.query
  const selection: SettleManyParked = Object.fromEntries(FIELDS.filter((name) => given[name]).map((name) => [name, given[name]]))
  const list = usePages<ParkedEvent>(`parked${query({ limit: 50, settled: settled === 'true' ? true : undefined, ...selection as Record<string, string> })}`)
  const groups = useLoaded<ParkedGroups>('parked/groups', 5000)
  const jobs = useLoaded<JobPage>('jobs?limit=3', 1500)
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [dialog, question] = useQuestion()
  const reload = (): void => {
    setChosen(new Set())
    list.reload()
    groups.reload()
    jobs.reload()
  }
  const settle = (verb: Verb, which: SettleManyParked): void => {
    void ask<CountedParked>('POST', `parked/${verb}`, { ...which, dry_run: true }).then(({ total }) => question({
      title: `${verb === 'replay' ? 'Replay' : 'Discard'} ${total} parked ${total === 1 ? 'event' : 'events'}?`,
      text: <p>{told(which)}. {verb === 'replay' ? 'Their order events are booked anew; what was booked before is not booked twice.' : 'They are given up; their bytes stay to be looked at.'} It is done by a job, about a hundred a second, which can be stopped.</p>,
      yes: verb === 'replay' ? 'Replay' : 'Discard',
      danger: verb === 'discard',
      act: async () => {
        await ask<Job>('POST', `parked/${verb}`, which)
        reload()
      }
    }), () => list.reload())
  }
  const which = chosen.size > 0 ? { ids: [...chosen].slice(0, 500) } : selection
  // All that stands above the list comes at once, or what is below would jump.
  if (groups.loading || jobs.loading) return <><Head /><Loading rows={8} /></>
  return (
    <>
      <Head />
      {dialog}
      <Jobs jobs={jobs.data?.items ?? []} onChange={reload} />
      <Groups groups={groups.data} />
      {groups.error && <Failure error={groups.error} onRetry={groups.reload} />}
      <Filter settled={settled} />
      <p class='buttons'>
        <button type='button' class='primary' disabled={settled === 'true'} onClick={() => settle('replay', which)}>{chosen.size > 0 ? `Replay ${chosen.size} selected` : 'Replay all that match'}</button>
        <button type='button' class='danger' disabled={settled === 'true'} onClick={() => settle('discard', which)}>{chosen.size > 0 ? `Discard ${chosen.size} selected` : 'Discard all that match'}</button>
        <button type='button' onClick={reload}>Refresh</button>
      </p>
      <Listed list={list} empty={settled === 'true' ? 'Nothing was replayed or discarded that is like that.' : 'Nothing is parked that is like that.'}>
        <Table events={list.items} chosen={chosen} onChoose={setChosen} />
      </Listed>
    </>
  )
}

/** How long a job that is over is still shown. */
const SHOWN_MS = 600_000

function Head () {
  return (
    <>
      <h1>Parking lot</h1>
      <p class='quiet'>Events that could not be booked. Nothing here is lost: each waits to be replayed or discarded.</p>
    </>
  )
}

function told (which: SettleManyParked): string {
  if (which.ids) return 'Those that are selected'
  const parts = Object.entries(which).map(([name, value]) => `${name.replace('_', ' ')} ${String(value)}`)
  return parts.length === 0 ? 'All that are open' : `All that are open with ${parts.join(' and ')}`
}

function Jobs ({ jobs, onChange }: { jobs: Job[], onChange: () => void }) {
  const shown = jobs.filter(({ state, updated_at: at }) => state === 'running' || Date.now() - Date.parse(at) < SHOWN_MS)
  return shown.length === 0 ? null : <section aria-label='Jobs' class='jobs'>{shown.map((job) => <Progress key={job.job_id} job={job} onChange={onChange} />)}</section>
}

function Groups ({ groups }: { groups: ParkedGroups | null }) {
  if (!groups || groups.items.length === 0) return <Empty>Nothing is parked.</Empty>
  return (
    <div class='scroll'>
      <table>
        <thead><tr><th scope='col'>Reason</th><th scope='col'>From</th><th scope='col' class='number'>Open</th><th scope='col'>Oldest</th><th scope='col'>Latest</th></tr></thead>
        <tbody>
          {groups.items.map(({ reason, source, open, oldest, latest }) => (
            <tr key={`${reason} ${source}`}>
              <th scope='row' class='text'><a href={to('parked', { reason, source })}>{reason}</a></th>
              <td>{source}</td><td class='number'>{open}</td><td><Time at={oldest} ago /></td><td><Time at={latest} ago /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Filter ({ settled }: { settled: string }) {
  const { reason = '', source = '', order_id: order = '', text = '' } = route.value.query
  const find = (event: SubmitEvent): void => {
    event.preventDefault()
    const form = new FormData(event.target as HTMLFormElement)
    const sought = String(form.get('sought')).trim()
    go('parked', { reason: String(form.get('reason')), source: String(form.get('source')), settled: form.get('settled') === 'true' ? 'true' : '', ...(UUID.test(sought) ? { order_id: sought } : { text: sought }) })
  }
  return (
    <form class='filter' onSubmit={find} key={location.hash}>
      <label>Reason<input name='reason' defaultValue={reason} maxLength={300} /></label>
      <label>From<select name='source'><option value=''>anywhere</option>{['queue', 'fallback', 'dead'].map((word) => <option key={word} value={word} selected={word === source}>{word}</option>)}</select></label>
      <label>Order id or text<input name='sought' defaultValue={order || text} maxLength={200} /></label>
      <label>Show<select name='settled'><option value=''>open</option><option value='true' selected={settled === 'true'}>replayed or discarded</option></select></label>
      <button class='primary' type='submit'>Find</button>
    </form>
  )
}

function Table ({ events, chosen, onChoose }: { events: ParkedEvent[], chosen: ReadonlySet<string>, onChoose: (chosen: ReadonlySet<string>) => void }) {
  const open = events.filter(({ settlement }) => settlement === null)
  const choose = (ids: string[], on: boolean): void => onChoose(new Set(on ? [...chosen, ...ids] : [...chosen].filter((id) => !ids.includes(id))))
  return (
    <div class='scroll'>
      <table>
        <thead>
          <tr>
            <th scope='col'><input type='checkbox' aria-label='Select all that are shown' disabled={open.length === 0} checked={open.length > 0 && open.every(({ parked_id: id }) => chosen.has(id))} onChange={(event) => choose(open.map(({ parked_id: id }) => id), event.currentTarget.checked)} /></th>
            <th scope='col'>Event</th><th scope='col'>Reason</th><th scope='col'>From</th><th scope='col'>Order</th><th scope='col' class='number'>Tried</th><th scope='col'>Parked</th><th scope='col'>State</th>
          </tr>
        </thead>
        <tbody>
          {events.map(({ parked_id: id, reason, source, order_id: order, attempts, parked_at: at, settlement }) => (
            <tr key={id}>
              <td><input type='checkbox' aria-label={`Select ${id.slice(0, 12)}`} disabled={settlement !== null} checked={chosen.has(id)} onChange={(event) => choose([id], event.currentTarget.checked)} /></td>
              <th scope='row'><a href={to(`parked/${id}`)}><Code text={id} short={12} /></a></th>
              <td class='text'>{reason}</td><td>{source}</td>
              <td>{order === null ? '–' : <a href={to(`orders/${order}`)}><Code text={order} short={13} /></a>}</td>
              <td class='number'>{attempts}</td><td><Time at={at} ago /></td><td><Status word={settlement ?? 'open'} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
