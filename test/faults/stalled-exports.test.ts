import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import t from 'tap'
import { startApi } from '../support/apps.js'
import { eventually } from '../support/eventually.js'
import { newcomer } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { isProblem } from '../support/problems.js'

const place = await openPlace(t)

t.test('an export that nobody reads is the only one of its user, holds no connection to Postgres, and is cut', async (t) => {
  const app = await startApi(t, place, { AMQP_URL: '' })
  const other = await startApi(t, place, { AMQP_URL: '' })
  app.exportLimits.pieceMs = 60_000
  const [ana, bia] = [await newcomer(app), await newcomer(app)]
  await place.pool.query(`
    insert into orders (order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, event_id, created_at, updated_at)
    select gen_random_uuid(), $1, repeat('x', 250), 1, 1, 1, 'confirmed', 1, gen_random_uuid(), date_trunc('milliseconds', now()), now() from generate_series(1, 40000)`, [ana.user_id])
  await app.listen({ port: 0, host: '127.0.0.1' })
  app.server.setTimeout(0) // by which an idle connection would end too
  const { port } = app.server.address() as AddressInfo
  const stall = async () => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    socket.write(`GET /users/me/export HTTP/1.1\r\nHost: x\r\nAuthorization: ${ana.headers.authorization}\r\n\r\n`)
    await once(socket, 'readable')
    return socket
  }
  await stall()
  const again = async (api = app, who = ana) => await api.inject({ url: '/users/me/export', headers: who.headers })
  for (const api of [app, other]) isProblem(t, await again(api), 429, 'export-running')
  t.equal((await again(other, bia)).statusCode, 200, 'of somebody else')
  await eventually('nothing is asked of Postgres', () => app.pg.pool.idleCount === app.pg.pool.totalCount)
  app.server.closeAllConnections()
  await eventually('one that went away is over', async () => (await again(other)).statusCode === 200)

  for (const limit of ['pieceMs', 'wholeMs'] as const) {
    Object.assign(app.exportLimits, { pieceMs: 60_000, wholeMs: 60_000, [limit]: 300 })
    await stall()
    await eventually('its connection is cut', async () => await new Promise<boolean>((resolve) => app.server.getConnections((_error, count) => resolve(count === 0))))
    await eventually('and it is over', async () => (await again(other)).statusCode === 200)
  }
})

t.test('an export is cut off when the session of its reader ends', needs('redis'), async (t) => {
  const app = await startApi(t, place, { AMQP_URL: '' })
  const ana = await newcomer(app)
  await place.pool.query(`
    insert into orders (order_id, user_id, item_description, item_quantity, item_price, total_value, status, version, event_id, created_at, updated_at)
    select gen_random_uuid(), $1, repeat('x', 250), 1, 1, 1, 'confirmed', 1, gen_random_uuid(), date_trunc('milliseconds', now()), now() from generate_series(1, 40000)`, [ana.user_id])
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  socket.write(`GET /users/me/export HTTP/1.1\r\nHost: x\r\nAuthorization: ${ana.headers.authorization}\r\n\r\n`)
  await once(socket, 'readable')
  t.equal((await app.inject({ method: 'DELETE', url: '/auth/token', headers: ana.headers })).statusCode, 204)
  let end = ''
  socket.setEncoding('latin1').on('data', (text: string) => { end = (end + text).slice(-10) })
  await once(socket, 'close')
  t.notMatch(end, /\r\n0\r\n\r\n$/, 'not to its end')
})
