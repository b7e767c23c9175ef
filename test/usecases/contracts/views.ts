import type { Test } from 'tap'
import { newId } from '../../../src/ids.js'
import { acceptedView, type OrderView, persistedView } from '../../../src/orders/view.js'
import type { ViewsPort } from '../../../src/usecases/ports.js'
import { amended, placed } from './events.js'

export interface OpenedViews {
  views: ViewsPort
  /** Out of sight until `heal`. */
  cut (): Promise<void> | void
  heal (): Promise<void> | void
  /** It forgets everything. */
  empty (): Promise<void> | void
}
type Open = (t: Test) => Promise<OpenedViews>

/** Of a placement and of one change, accepted and persisted: rising in rank. */
function risingViews (): [OrderView, OrderView, OrderView, OrderView] {
  const first = placed(1)
  const second = amended(first)
  return [acceptedView(first), persistedView(first), acceptedView(second, acceptedView(first)), persistedView(second)]
}

export function viewsContract (t: Test, open: Open): void {
  keepsTheHighest(t, open)
  saysWhatItDoesNotKnow(t, open)
}

function keepsTheHighest (t: Test, open: Open): void {
  t.test('a view comes back as it was put; an order that was never put is a miss that was asked', async (t) => {
    const { views } = await open(t)
    for (const view of risingViews()) {
      await views.put([{ view }])
      t.strictSame(await views.get(view.order.order_id), { view, asked: true })
    }
    t.strictSame(await views.get(newId()), { view: null, asked: true })
  })

  t.test('a view is written only over a lower rank', async (t) => {
    const { views } = await open(t)
    for (let before = 0; before < 4; before++) {
      for (let after = 0; after < 4; after++) {
        const rising = risingViews()
        const [first, second] = [rising[before]!, { ...rising[after]!, event_id: newId() }]
        await views.put([{ view: first }])
        await views.put([{ view: second }])
        const { view } = await views.get(first.order.order_id)
        t.equal(view?.event_id, after > before ? second.event_id : first.event_id, `${before}, then ${after}`)
      }
    }
  })

  t.test('of several views of one order in one call the highest is kept, and each order has its own', async (t) => {
    const { views } = await open(t)
    const [one, other] = [risingViews(), risingViews()]
    await views.put([one[1], one[2], other[0], one[0]].map((view) => ({ view })))
    t.strictSame((await views.get(one[0].order.order_id)).view, one[2])
    t.strictSame((await views.get(other[0].order.order_id)).view, other[0])
  })

  t.test('the view of a rejected event gives way to the one that replaces it, whatever its rank; no other does', async (t) => {
    const { views } = await open(t)
    const [, row, rejected, higher] = risingViews()
    await views.put([{ view: rejected }])
    await views.put([{ view: row, replaces: newId() }])
    t.strictSame((await views.get(row.order.order_id)).view, rejected)
    await views.put([{ view: row, replaces: rejected.event_id }])
    t.strictSame((await views.get(row.order.order_id)).view, row)
    await views.put([{ view: higher, replaces: rejected.event_id }])
    t.strictSame((await views.get(row.order.order_id)).view, higher, 'what it would replace is gone: the rank decides')
  })
}

function saysWhatItDoesNotKnow (t: Test, open: Open): void {
  const isInDoubt = (t: Test, views: ViewsPort, since: number): void => {
    t.equal(views.inDoubt, true)
    t.strictSame([null, since - 1000, Date.now() + 1000].map((moment) => views.mayMiss(moment)), [true, true, false], 'what was changed since has its view')
  }

  t.test('as long as all goes well nothing is in doubt, and no view may be missing', async (t) => {
    const { views } = await open(t)
    await views.put([{ view: risingViews()[0] }])
    await views.get(newId())
    t.equal(views.inDoubt, false)
    t.strictSame([null, 0, Date.now()].map((since) => views.mayMiss(since)), [false, false, false])
  })

  t.test('where it cannot be asked nothing is thrown, a miss says so, and what was not written makes it doubtful', async (t) => {
    const { views, cut } = await open(t)
    const [view] = risingViews()
    await cut()
    t.strictSame(await views.get(view.order.order_id), { view: null, asked: false })
    await views.put([{ view }])
    t.equal((await views.get(view.order.order_id)).asked, false)
    t.equal(views.inDoubt, true)
  })

  t.test('once it is in sight again views may be missing of what is older than that', async (t) => {
    const { views, cut, heal } = await open(t)
    const [view] = risingViews()
    await cut()
    const since = Date.now()
    await heal()
    await views.put([{ view }])
    t.strictSame(await views.get(view.order.order_id), { view, asked: true })
    isInDoubt(t, views, since)
  })

  t.test('once it was emptied it says so as soon as a view is missing', async (t) => {
    const { views, empty } = await open(t)
    const [view] = risingViews()
    await views.put([{ view }])
    const since = Date.now()
    await empty()
    t.strictSame(await views.get(view.order.order_id), { view: null, asked: true })
    isInDoubt(t, views, since)
  })
}
