import type pg from 'pg'
import type { Test } from 'tap'
import { decodeMessage } from '../../../src/broker/codec.js'
import { Intake } from '../../../src/broker/intake.js'
import { Publisher } from '../../../src/broker/publisher.js'
import { declareTopology, ORDERS_QUEUE } from '../../../src/broker/topology.js'
import { insertFallback } from '../../../src/store/fallback-queue.js'
import { amqpConnect, openChannel } from '../../support/broker.js'
import { type Place, openPool } from '../../support/place.js'
import { openProxy } from '../../support/proxy.js'
import type { OpenedIntake } from '../contracts/intake.js'
import type { Fate } from '../memory/intake.js'
import { awayPool } from './tables.js'

/** Milliseconds: an answer that is lost is waited for no longer. */
const LIMIT_MS = { taken: 10_000, refused: 10_000, lost: 300 }

function intakeOver (publisher: Publisher, pool: pg.Pool, limitMs: number): Intake {
  return new Intake(publisher, async (events) => await insertFallback(pool, events), limitMs, () => {})
}

/** By the broker; the fallback queue is away. */
export async function openByBroker (t: Test, place: Place, fate: Fate): Promise<OpenedIntake> {
  const publisher = new Publisher({ confirmTimeoutMs: LIMIT_MS[fate], mac: null, onStuck () {} })
  const reader = await openChannel(t, place.env.AMQP_URL!)
  await declareTopology(reader)
  await reader.purgeQueue(ORDERS_QUEUE)
  if (fate !== 'refused') {
    const proxy = await openProxy(t, place.env.AMQP_URL!)
    publisher.use(await (await amqpConnect(proxy.url)).createConfirmChannel())
    if (fate === 'lost') proxy.mode = 'mute'
  }
  return {
    intake: intakeOver(publisher, awayPool(t), LIMIT_MS.refused),
    held: async () => {
      const ids: string[] = []
      for (let message = await reader.get(ORDERS_QUEUE, { noAck: true }); message; message = await reader.get(ORDERS_QUEUE, { noAck: true })) {
        for (const one of decodeMessage(message.content)) if ('event' in one) ids.push(one.event.event_id)
      }
      return ids
    }
  }
}

/** By the fallback queue; there is no broker. */
export async function openByFallback (t: Test, place: Place, fate: Fate): Promise<OpenedIntake> {
  const publisher = new Publisher({ confirmTimeoutMs: LIMIT_MS.refused, mac: null, onStuck () {} })
  await place.pool.query('delete from fallback_queue')
  const pool = fate === 'taken' ? place.pool : fate === 'refused' ? awayPool(t) : await mutePool(t, place)
  return {
    intake: intakeOver(publisher, pool, LIMIT_MS[fate]),
    held: async () => (await place.pool.query<{ event_id: string }>('select event_id from fallback_queue')).rows.map(({ event_id: id }) => id)
  }
}

/** It is told everything, and its answers are lost. */
async function mutePool (t: Test, place: Place): Promise<pg.Pool> {
  const proxy = await openProxy(t, place.env.DATABASE_URL!)
  const pool = openPool(t, { ...place, env: { ...place.env, DATABASE_URL: proxy.url } }, { max: 1 })
  await pool.query('select 1')
  proxy.mode = 'mute'
  t.teardown(() => proxy.cut())
  return pool
}
