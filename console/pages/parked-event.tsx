import type { WholeParkedEvent } from '../../clients/typescript/src/types.gen.js'
import { ask } from '../api.js'
import { useLoaded } from '../load.js'
import { useQuestion } from '../parts/dialog.js'
import { Code, Copy, Failure, Loading } from '../parts/states.js'
import { Status } from '../parts/status.js'
import { Time } from '../parts/time.js'
import { to } from '../route.js'

export function ParkedPage ({ id }: { id: string }) {
  const { data, error, loading, reload } = useLoaded<WholeParkedEvent>(`parked/${encodeURIComponent(id)}`)
  return (
    <>
      <p class='up'><a href={to('parked')}>Parking lot</a></p>
      <h1>Parked event <Code text={id} short={12} /></h1>
      {error && <Failure error={error} onRetry={reload} />}
      {loading && <Loading />}
      {data && <Known event={data} onSettled={reload} />}
    </>
  )
}

function Known ({ event, onSettled }: { event: WholeParkedEvent, onSettled: () => void }) {
  const [dialog, question] = useQuestion()
  const settle = (verb: 'replay' | 'discard'): void => question({
    title: verb === 'replay' ? 'Replay it?' : 'Discard it?',
    text: <p>{verb === 'replay' ? `Its order events (${event.events}) are booked anew; what was booked before is not booked twice.` : 'It is given up; its bytes stay to be looked at.'}</p>,
    yes: verb === 'replay' ? 'Replay' : 'Discard',
    danger: verb === 'discard',
    act: async () => {
      await ask('POST', `parked/${event.parked_id}/${verb}`)
      onSettled()
    }
  })
  return (
    <>
      <section class='card'>
        <dl class='facts'>
          <dt>State</dt><dd><Status word={event.settlement ?? 'open'} />{event.settled_at !== null && <> <Time at={event.settled_at} /></>}</dd>
          <dt>Reason</dt><dd class='text'>{event.reason}</dd>
          {event.fault !== null && <><dt>Fault</dt><dd class='text'>{event.fault}</dd></>}
          <dt>From</dt><dd>{event.source}, tried {event.attempts === 1 ? 'once' : `${event.attempts} times`}</dd>
          <dt>Parked</dt><dd><Time at={event.parked_at} /></dd>
          <dt>Holds</dt><dd>{event.events} order {event.events === 1 ? 'event' : 'events'} in {event.bytes} bytes</dd>
          {event.order_id !== null && <><dt>Order</dt><dd><a href={to(`orders/${event.order_id}`)}><Code text={event.order_id} /></a></dd></>}
          {event.user_id !== null && <><dt>User</dt><dd><a href={to('orders', { user_id: event.user_id })}>{event.user_id}</a></dd></>}
          <dt>Id</dt><dd><Code text={event.parked_id} short={24} /> <Copy text={event.parked_id} what='the id' /></dd>
        </dl>
        <p class='buttons'>
          <button type='button' class='primary' disabled={event.settlement !== null} onClick={() => settle('replay')}>Replay</button>
          <button type='button' class='danger' disabled={event.settlement !== null} onClick={() => settle('discard')}>Discard</button>
        </p>
        {dialog}
      </section>
      <h2>What was done with it</h2>
      {event.actions.length === 0 ? <p class='empty'>Nothing yet.</p> : <ul>{event.actions.map(({ action, done_by: by, done_at: at }) => <li key={at}><Status word={action} /> by {by}, <Time at={at} /></li>)}</ul>}
      <h2>Bytes{event.encoding === 'base64' && ', in base64'}</h2>
      <pre tabIndex={0} aria-label='Bytes'>{pretty(event)}</pre>
      <h2>Headers</h2>
      <pre tabIndex={0} aria-label='Headers'>{JSON.stringify(event.headers, null, 2)}</pre>
    </>
  )
}

function pretty ({ raw, encoding }: WholeParkedEvent): string {
  if (encoding === 'base64') return raw
  try {
    return JSON.stringify(JSON.parse(raw), null, 2)
  } catch {
    return raw
  }
}
