import type { Order, OrderEvent, Timeline } from '../../clients/typescript/src/types.gen.js'
import { ask } from '../api.js'
import { useLive } from '../live.js'
import { type Loaded, useLoaded } from '../load.js'
import { useQuestion } from '../parts/dialog.js'
import { money } from '../parts/money.js'
import { Code, Copy, Failure, Loading } from '../parts/states.js'
import { Status } from '../parts/status.js'
import { Time } from '../parts/time.js'
import { to } from '../route.js'

const VERBS: Record<string, string> = { paid: 'Mark as paid', shipped: 'Mark as shipped', delivered: 'Mark as delivered', cancelled: 'Cancel the order' }
/** What was only accepted is read again until it is booked. */
const OPEN_MS = 1000

/** One order, what happened to it, and what may be done with it. */
export function OrderPage ({ id }: { id: string }) {
  const order = useLoaded<Order>(`orders/${encodeURIComponent(id)}`, OPEN_MS * 5)
  const timeline = useLoaded<Timeline>(`orders/${encodeURIComponent(id)}/events?limit=100`, OPEN_MS * 5)
  const reload = (): void => {
    order.reload()
    timeline.reload()
  }
  useLive(id, reload)
  return (
    <>
      <p class='up'><a href={to('orders')}>Orders</a></p>
      <h1>Order <Code text={id} short={13} /></h1>
      {order.error && <Failure error={order.error} onRetry={reload} />}
      {order.loading && <Loading />}
      {order.data && (
        <>
          <Known order={order.data} onMoved={reload} />
          <h2>What happened</h2>
          {timeline.error && !order.error && <Failure error={timeline.error} onRetry={reload} />}
          {timeline.loading ? <Loading /> : timeline.data && <Line timeline={timeline} />}
        </>
      )}
    </>
  )
}

function Known ({ order, onMoved }: { order: Order, onMoved: () => void }) {
  const [dialog, question] = useQuestion()
  const move = (to: string): void => question({
    title: `${VERBS[to] ?? to}?`,
    text: <p>It is {order.status} now, at version {order.version}. {to === 'cancelled' ? 'A cancelled order stays cancelled.' : `It becomes ${to}.`} If it has changed meanwhile nothing happens.</p>,
    yes: VERBS[to] ?? to,
    danger: to === 'cancelled',
    act: async () => {
      await ask('PUT', `orders/${order.order_id}/status`, { status: to }, { headers: { 'if-match': `"${order.version}"` } })
      onMoved()
    }
  })
  return (
    <section class='card'>
      <dl class='facts'>
        <dt>Status</dt><dd><Status word={order.status} />{order.reason !== undefined && ` ${order.reason}`}</dd>
        <dt>What</dt><dd class='text'>{order.item_quantity} × {order.item_description}</dd>
        <dt>Value</dt><dd>{money(order.total_value)} ({money(order.item_price)} each)</dd>
        <dt>User</dt><dd><a href={to('orders', { user_id: order.user_id })}>{order.user_id}</a></dd>
        <dt>Version</dt><dd>{order.version}</dd>
        <dt>Placed</dt><dd><Time at={order.created_at} /></dd>
        <dt>Changed</dt><dd><Time at={order.updated_at} /></dd>
        <dt>Id</dt><dd><Code text={order.order_id} /> <Copy text={order.order_id} what='the order id' /></dd>
      </dl>
      <p class='buttons'>
        {order.next_statuses.length === 0 && <span class='quiet'>Nothing more can be done with it.</span>}
        {order.next_statuses.map((status) => <button key={status} type='button' class={status === 'cancelled' ? 'danger' : 'primary'} onClick={() => move(status)}>{VERBS[status] ?? status}</button>)}
      </p>
      {dialog}
    </section>
  )
}

function Line ({ timeline }: { timeline: Loaded<Timeline> }) {
  return (
    <ol class='timeline'>
      {timeline.data?.items.map((event) => (
        <li key={event.event_id} class={event.outcome}>
          <p><b>{event.type.replace('order.', '').replaceAll('_', ' ')}</b> <Status word={event.outcome} />{event.reason !== undefined && <> <Status word={event.reason} /></>} <span class='quiet'>version {event.version}</span></p>
          <p class='quiet'><Time at={event.occurred_at} /> by {event.actor ?? 'not named'}{recorded(event)}</p>
          <p class='quiet'>{event.order.item_quantity} × <span class='text'>{event.order.item_description}</span>, {money(event.order.total_value)}, {event.order.status}</p>
          <p class='quiet'>Request <Code text={event.request_id} /> <Copy text={`comanda logs --request ${event.request_id}`} what='the command that shows its log lines' /></p>
        </li>
      ))}
    </ol>
  )
}

function recorded ({ recorded_at: at, occurred_at: from }: OrderEvent): string {
  if (at === null) return ', not booked yet'
  return `, booked ${Math.max(0, Date.parse(at) - Date.parse(from))} ms later`
}
