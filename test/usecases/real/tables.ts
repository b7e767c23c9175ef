import pg from 'pg'
import type { Test } from 'tap'
import { Pseudonyms } from '../../../src/auth/pseudonyms.js'
import { listActions, recordAction } from '../../../src/store/actions.js'
import { inTransaction } from '../../../src/store/database.js'
import { recordEvents } from '../../../src/store/order-events.js'
import { findOrder, listOrders } from '../../../src/store/orders.js'
import { listOrderEvents } from '../../../src/store/timeline.js'
import { changeRoleFor, changeUserFor, endSessionsFor, eraseUserFor, updatePasswordFor } from '../../../src/store/user-changes.js'
import { findCredentials, findOwnCredentials, findSession, findUser, insertUser, listUsers, rehashPassword, wasUser } from '../../../src/store/users.js'
import { type Action, actorOf } from '../../../src/users/actions.js'
import type { OrdersPort } from '../../../src/usecases/ports.js'
import { applyBatch } from '../../../src/worker/batch.js'
import { enqueueFallback, insertPerson } from '../../support/events.js'
import type { OpenedActions } from '../contracts/actions.js'
import type { OpenedOrders } from '../contracts/orders.js'
import type { OpenedUsers } from '../contracts/users.js'

/** A server that is not there. */
export function awayPool (t: Test): pg.Pool {
  const pool = new pg.Pool({ connectionString: 'postgres://127.0.0.1:1/none' })
  t.teardown(async () => await pool.end())
  return pool
}

/** The ports over this pool, put together as the plugins do. */
export async function openOrders (t: Test, there: pg.Pool): Promise<OpenedOrders> {
  let pool = there
  const orders: OrdersPort = {
    find: async (orderId, eventId) => await findOrder(pool, orderId, eventId),
    list: async (filter) => await listOrders(pool, filter),
    timeline: async (orderId, taken, page) => await listOrderEvents(pool, orderId, taken, page)
  }
  return {
    orders,
    users: [await insertPerson(there), await insertPerson(there)],
    book: async (events) => await inTransaction(there, async (client) => {
      await applyBatch(client, events)
      await client.query('delete from fallback_queue where event_id = any($1)', [events.map(({ event_id: id }) => id)])
    }),
    enqueue: async (events) => await enqueueFallback(there, events),
    refuse: async (event) => await recordEvents(there, [{ event, outcome: 'rejected', reason: 'not_storable' }]),
    cut: () => { pool = awayPool(t) }
  }
}

export async function openUsers (t: Test, there: pg.Pool): Promise<OpenedUsers> {
  let pool = there
  const pseudonyms = new Pseudonyms('a-key-of-pseudonyms-for-tests-that-is-long-enough')
  const recorded = await recordedFrom(there)
  return {
    users: {
      insert: async (person) => await insertUser(pool, pseudonyms, person),
      find: async (userId) => await findUser(pool, userId),
      list: async (page) => await listUsers(pool, page),
      update: async (userId, change, by) => await changeUserFor(pool, pseudonyms, userId, change, by),
      erase: async (userId, by) => await eraseUserFor(pool, pseudonyms, userId, by),
      promote: async (userId, by) => await changeRoleFor(pool, userId, 'operator', actorOf(by)),
      existed: async (userId) => await wasUser(pool, userId)
    },
    credentials: {
      ofName: async (nickName) => await findCredentials(pool, nickName),
      ofUser: async (userId) => await findOwnCredentials(pool, userId),
      session: async (userId) => await findSession(pool, userId),
      replace: async (userId, hashes, by) => await updatePasswordFor(pool, userId, hashes, by),
      endSessions: async (session, by) => await endSessionsFor(pool, session, actorOf(by)),
      rehash: async (userId, hashes) => await rehashPassword(pool, userId, hashes)
    },
    recorded,
    makeOperator: async (userId) => { await there.query('update users set role = $1 where user_id = $2', ['operator', userId]) },
    cut: () => { pool = awayPool(t) }
  }
}

export async function openActions (t: Test, there: pg.Pool): Promise<OpenedActions> {
  let pool = there
  return {
    actions: { record: async (action) => await recordAction(pool, action) },
    recorded: await recordedFrom(there),
    cut: () => { pool = awayPool(t) }
  }
}

/** Those recorded from now on, oldest first. */
async function recordedFrom (pool: pg.Pool): Promise<() => Promise<Action[]>> {
  const [newest] = await listActions(pool, { limit: 1 })
  return async () => (await listActions(pool, { limit: 1000 }))
    .filter(({ action_id: id }) => id > (newest?.action_id ?? 0))
    .reverse()
    .map(({ action_id: id, done_at: at, ...action }) => action)
}
