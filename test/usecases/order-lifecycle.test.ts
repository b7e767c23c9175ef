import t, { type Test } from 'tap'
import { newId } from '../../src/ids.js'
import type { MovableStatus } from '../../src/orders/status.js'
import { ana, bia, changing, line, openOrderService, operator } from './memory/order-service.js'

const isRefused = async (t: Test, asking: Promise<unknown>, code: string, more: object = {}) => await t.rejects(asking, { name: 'OrderError', code, ...more }, code)
async function openBooked () {
  const service = openOrderService()
  return { ...service, id: (await service.booked()).order.order_id }
}

t.test('an order is changed by its owner, and moved by operators', async (t) => {
  const { id, changes, taken } = await openBooked()
  await isRefused(t, changes.amend(changing(id, operator), { item_quantity: 4 }), 'not_owner')
  await isRefused(t, changes.amend(changing(id, bia), { item_quantity: 4 }), 'order_not_found')
  await isRefused(t, changes.cancel(changing(id, bia)), 'order_not_found')
  for (const caller of [ana, bia]) await isRefused(t, changes.move(changing(id, caller), 'cancelled'), 'forbidden')
  await isRefused(t, changes.move(changing(newId(), ana), 'paid'), 'forbidden')
  await isRefused(t, changes.move(changing(newId(), operator), 'paid'), 'order_not_found')
  t.equal(taken().length, 1)
  t.match(await changes.cancel(changing(id, operator)), { order: { status: 'cancelled' } })
})

t.test('what the lifecycle does not know is refused, with the order as it is', async (t) => {
  const table: Array<[MovableStatus[], MovableStatus[], boolean, boolean]> = [
    // on the way here, illegal from here, amendable, its owner may cancel
    [[], ['shipped', 'delivered'], true, true],
    [['paid'], ['delivered'], false, true],
    [['paid', 'shipped'], ['paid', 'cancelled'], false, false],
    [['paid', 'shipped', 'delivered'], ['paid', 'shipped', 'cancelled'], false, false]
  ]
  for (const [path, illegal, amendable, cancellable] of table) {
    const { changes, id } = await openBooked()
    for (const to of path) t.match(await changes.move(changing(id, operator), to), { order: { status: to } })
    const present = { version: path.length + 1, status: path.at(-1) ?? 'confirmed' }
    for (const to of illegal) await isRefused(t, changes.move(changing(id, operator), to), 'illegal_move', { present })
    if (!amendable) await isRefused(t, changes.amend(changing(id), { item_quantity: 50 }), 'not_amendable', { present })
    if (!cancellable) await isRefused(t, changes.cancel(changing(id)), 'illegal_move', { present })
    else t.match(await changes.cancel(changing(id)), { order: { status: 'cancelled', item_quantity: line.item_quantity } })
  }
})

t.test('a move is typed by what it comes to', async (t) => {
  const { id, changes, taken } = await openBooked()
  await changes.move(changing(id, operator), 'paid')
  await changes.move(changing(id, operator), 'cancelled')
  t.strictSame(taken().map(({ type }) => type), ['order.placed', 'order.status_changed', 'order.cancelled'])
})
