/** What each port promises, asked of the one in memory and of the real one: neither can drift from the other. */
import t from 'tap'
import { needs, openPlace, openPool } from '../support/place.js'
import { actionsContract } from './contracts/actions.js'
import { changeLocksContract } from './contracts/change-locks.js'
import { countsContract } from './contracts/counts.js'
import { credentialsContract } from './contracts/credentials.js'
import { intakeContract } from './contracts/intake.js'
import { keysContract } from './contracts/keys.js'
import { orderUseContract } from './contracts/order-use.js'
import { ordersContract } from './contracts/orders.js'
import { passwordsContract } from './contracts/passwords.js'
import { revocationsContract } from './contracts/revocations.js'
import { usersContract } from './contracts/users.js'
import { viewsContract } from './contracts/views.js'
import { openInMemory } from './memory/opened.js'
import { openRedisCounts, openRedisKeys, openRedisLocks, openRedisMarks, openRedisOrderUse, openRedisViews } from './real/cache.js'
import { openByBroker, openByFallback } from './real/intake.js'
import { openArgon2 } from './real/passwords.js'
import { openActions, openOrders, openUsers } from './real/tables.js'

const place = await openPlace(t)
const pool = openPool(t, place, { max: 3 })
const redis = needs('redis')

t.test('order views, in memory', async (t) => viewsContract(t, openInMemory.views))
t.test('order views, in Redis', redis, async (t) => viewsContract(t, async (t) => await openRedisViews(t, place)))

t.test('change locks, in memory', async (t) => changeLocksContract(t, openInMemory.locks))
t.test('change locks, in Redis', redis, async (t) => changeLocksContract(t, async (t) => await openRedisLocks(t, place)))

t.test('idempotency keys, in memory', async (t) => keysContract(t, openInMemory.keys))
t.test('idempotency keys, in Redis', redis, async (t) => keysContract(t, async (t) => await openRedisKeys(t, place)))

t.test('counts, in memory', async (t) => countsContract(t, openInMemory.counts))
t.test('counts, in Redis', redis, async (t) => countsContract(t, async (t) => await openRedisCounts(t, place)))

t.test('orders used, in memory', async (t) => orderUseContract(t, openInMemory.orderUse))
t.test('orders used, in Redis', redis, async (t) => orderUseContract(t, async (t) => await openRedisOrderUse(t, place)))

t.test('orders, in memory', async (t) => ordersContract(t, openInMemory.orders))
t.test('orders, in Postgres', async (t) => ordersContract(t, async (t) => await openOrders(t, pool)))

t.test('users, in memory', async (t) => usersContract(t, openInMemory.users))
t.test('users, in Postgres', async (t) => usersContract(t, async (t) => await openUsers(t, pool)))

t.test('credentials, in memory', async (t) => credentialsContract(t, openInMemory.users))
t.test('credentials, in Postgres', async (t) => credentialsContract(t, async (t) => await openUsers(t, pool)))

t.test('actions, in memory', async (t) => actionsContract(t, openInMemory.actions))
t.test('actions, in Postgres', async (t) => actionsContract(t, async (t) => await openActions(t, pool)))

t.test('revocations, in memory', async (t) => revocationsContract(t, openInMemory.processes))
t.test('revocations, in Redis', redis, async (t) => revocationsContract(t, async (t) => await openRedisMarks(t, place)))

t.test('passwords, in memory', async (t) => passwordsContract(t, openInMemory.passwords))
t.test('passwords, by argon2id', async (t) => passwordsContract(t, openArgon2))

t.test('intake, in memory', async (t) => intakeContract(t, openInMemory.intake))
t.test('intake, by the broker', needs('rabbitmq'), async (t) => intakeContract(t, async (t, fate) => await openByBroker(t, place, fate)))
t.test('intake, by the fallback queue', async (t) => intakeContract(t, async (t, fate) => await openByFallback(t, place, fate)))
