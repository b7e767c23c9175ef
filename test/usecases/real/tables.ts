import pg from 'pg'
import type { Test } from 'tap'
import { Pseudonyms } from '../../../src/auth/pseudonyms.js'
import { inTransaction } from '../../../src/store/database.js'
import { recordEvents } from '../../../src/store/order-events.js'
import { findOrder, listOrders } from '../../../src/store/orders.js'
import { listOrderEvents } from '../../../src/store/timeline.js'
import { eraseUser, findCredentials, findOwnCredentials, findSession, findUser, insertUser, listUsers, updatePassword, updateUser, wasUser } from '../../../src/store/users.js'
import type { OrdersPort } from '../../../src/usecases/ports.js'
import { applyBatch } from '../../../src/worker/batch.js'
import { enqueueFallback, insertPerson } from '../../support/events.js'
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
  const pseudonyms = new Pseudonyms('a key of pseudonyms for tests that is long enough')
  return {
    users: {
      insert: async (person) => await insertUser(pool, pseudonyms, person),
      find: async (userId) => await findUser(pool, userId),
      list: async (page) => await listUsers(pool, page),
      update: async (userId, change) => await updateUser(pool, pseudonyms, userId, change),
      erase: async (userId) => await eraseUser(pool, pseudonyms, userId),
      existed: async (userId) => await wasUser(pool, userId)
    },
    credentials: {
      ofName: async (nickName) => await findCredentials(pool, nickName),
      ofUser: async (userId) => await findOwnCredentials(pool, userId),
      session: async (userId) => await findSession(pool, userId),
      replace: async (userId, hashes) => await updatePassword(pool, userId, hashes)
    },
    promote: async (userId) => { await there.query('update users set role = $1 where user_id = $2', ['operator', userId]) },
    cut: () => { pool = awayPool(t) }
  }
}
