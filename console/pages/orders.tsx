import { useState } from 'preact/hooks'
import type { Order, ToldEvent } from '../../clients/typescript/src/types.gen.js'
import { query } from '../api.js'
import { useLive } from '../live.js'
import { usePages } from '../load.js'
import { money } from '../parts/money.js'
import { Code, Listed } from '../parts/states.js'
import { Status } from '../parts/status.js'
import { Time } from '../parts/time.js'
import { go, route, to } from '../route.js'

const STATUSES = ['confirmed', 'paid', 'shipped', 'delivered', 'cancelled']
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Found by its id, or those of a user; moving while one looks. */
export function Orders () {
  const { user_id = '', status = '' } = route.value.query
  const list = usePages<Order>(`orders${query({ limit: 20, user_id, status })}`)
  const [told, setTold] = useState<Map<string, Order>>(new Map())
  const [fresh, setFresh] = useState(0)
  useLive(undefined, ({ data: { order } }: ToldEvent) => {
    setTold((before) => new Map([...before, [order.order_id, order as Order]].slice(-500) as Array<[string, Order]>))
    if (!list.items.some(({ order_id: id }) => id === order.order_id)) setFresh((before) => before + 1)
  })
  const find = (event: SubmitEvent): void => {
    event.preventDefault()
    const form = new FormData(event.target as HTMLFormElement)
    const sought = String(form.get('sought')).trim()
    if (UUID.test(sought)) go(`orders/${sought.toLowerCase()}`)
    else go('orders', { user_id: sought, status: String(form.get('status')) })
  }
  return (
    <>
      <h1>Orders</h1>
      <form class='filter' onSubmit={find}>
        <label>Order id or user id<input name='sought' defaultValue={user_id} pattern='\s*([0-9]{1,10}|[0-9a-fA-F\-]{36})?\s*' title='An order id (a UUID) or a user id (a number)' /></label>
        <label>Status<select name='status' defaultValue={status}><option value=''>any</option>{STATUSES.map((word) => <option key={word} value={word} selected={word === status}>{word}</option>)}</select></label>
        <button class='primary' type='submit'>Find</button>
        <button type='button' onClick={() => { setFresh(0); list.reload() }} class={fresh > 0 ? 'news' : ''}>{fresh > 0 ? `Show ${fresh > 99 ? 'more than 99' : fresh} new` : 'Refresh'}</button>
      </form>
      <Listed list={list} empty='No order is like that. What was only accepted shows here once it is booked.'>
        <div class='scroll'>
          <table>
            <thead><tr><th scope='col'>Order</th><th scope='col'>Status</th><th scope='col'>What</th><th scope='col' class='number'>Value</th><th scope='col'>User</th><th scope='col'>Placed</th></tr></thead>
            <tbody>
              {list.items.map((read) => newer(read, told.get(read.order_id))).map((order) => (
                <tr key={order.order_id} data-order={order.order_id}>
                  <th scope='row'><a href={to(`orders/${order.order_id}`)}><Code text={order.order_id} short={13} /></a></th>
                  <td><Status word={order.status} /></td>
                  <td class='text'>{order.item_quantity} × {order.item_description}</td>
                  <td class='number'>{money(order.total_value)}</td>
                  <td><a href={to('orders', { user_id: order.user_id })}>{order.user_id}</a></td>
                  <td><Time at={order.created_at} ago /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Listed>
    </>
  )
}

function newer (read: Order, told: Order | undefined): Order {
  return told && told.version > read.version ? { ...read, ...told } : read
}
