import type { Test } from 'tap'
import { serializeEvent } from '../../../src/orders/envelope.js'
import type { OrderError } from '../../../src/orders/errors.js'
import type { OrderEvent } from '../../../src/orders/event.js'
import type { IntakePort } from '../../../src/usecases/ports.js'
import type { Fate } from '../memory/intake.js'
import { amended, placed } from './events.js'

export interface OpenedIntake {
  intake: IntakePort
  /** The ids of the events that cannot be lost any more. */
  held (): Promise<string[]>
}

const aboutOf = ({ event_id, order: { order_id } }: OrderEvent) => ({ order_id, event_id })

/** @param open where this becomes of every event @param user whom the events are of */
export function intakeContract (t: Test, open: (t: Test, fate: Fate) => Promise<OpenedIntake>, user = 1): void {
  const several = () => {
    const first = placed(user)
    return [first, amended(first), placed(user)]
  }
  const idsOf = (events: readonly OrderEvent[]) => events.map(({ event_id: id }) => id).sort()

  t.test('it resolves when the event cannot be lost any more', async (t) => {
    const { intake, held } = await open(t, 'taken')
    const event = placed(user)
    await intake.take(serializeEvent(event))
    t.strictSame(await held(), [event.event_id])
  })

  t.test('of several each has a promise of its own', async (t) => {
    const { intake, held } = await open(t, 'taken')
    const events = several()
    const promises = intake.takeAll(events.map(serializeEvent))
    t.equal(promises.length, 3)
    await Promise.all(promises)
    t.strictSame((await held()).sort(), idsOf(events))
    t.strictSame(intake.takeAll([]), [])
  })

  t.test('what neither path took is not accepted and was not written; the error names it, in their order', async (t) => {
    const { intake, held } = await open(t, 'refused')
    const events = [placed(user), ...several()]
    const [alone, ...rest] = events as [OrderEvent, ...OrderEvent[]]
    const settled = await Promise.allSettled([intake.take(serializeEvent(alone)), ...intake.takeAll(rest.map(serializeEvent))])
    t.match(settled, events.map((event) => ({ status: 'rejected', reason: { name: 'OrderError', code: 'not_accepted', about: aboutOf(event) } })))
    t.strictSame(await held(), [])
  })

  t.test('of what may have been taken the outcome is unknown', async (t) => {
    const { intake } = await open(t, 'lost')
    const event = placed(user)
    await t.rejects(intake.take(serializeEvent(event)), { name: 'OrderError', code: 'outcome_unknown', about: aboutOf(event) })
  })

  t.test('of several that may have been taken none is called not accepted that was taken', async (t) => {
    const { intake, held } = await open(t, 'lost')
    const events = several()
    const settled = await Promise.allSettled(intake.takeAll(events.map(serializeEvent)))
    t.match(settled, events.map((event) => ({ status: 'rejected', reason: { name: 'OrderError', about: aboutOf(event) } })))
    const taken = await held()
    const codes = settled.map((one) => one.status === 'rejected' ? (one.reason as OrderError).code : '')
    for (const [index, { event_id: id }] of events.entries()) t.ok(codes[index] === 'outcome_unknown' || (codes[index] === 'not_accepted' && !taken.includes(id)))
    t.ok(codes.includes('outcome_unknown'))
  })
}
