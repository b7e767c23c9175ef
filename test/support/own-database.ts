import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import { administer, createDatabase, databaseUrl, dropDatabase } from '../../testkit/databases.js'
import { type App, startApi, startWorker } from './apps.js'
import { eventually } from './eventually.js'
import { line, newcomer, type Person, place as order } from './people.js'
import type { Place } from './place.js'

const SERVER = process.env.TEST_POSTGRES!

export interface OwnDatabase {
  url: string
  /** The place's, with this database. */
  env: Record<string, string>
  /** Statements, one after the other; `<database>` is its name. @returns the rows of the last one */
  run: <Row extends object>(...statements: string[]) => Promise<Row[]>
}

/** A database without tables, of the given making. */
export async function ownDatabase (t: Test, place: Place, making = ''): Promise<OwnDatabase> {
  const name = `${process.env.TEST_RUN}_${randomBytes(4).toString('hex')}`
  if (making === '') await createDatabase(SERVER, name)
  else await administer(SERVER, `create database ${name} template template0 ${making}`)
  t.teardown(async () => await dropDatabase(SERVER, name))
  const url = databaseUrl(SERVER, name)
  return { url, env: { ...place.env, DATABASE_URL: url }, run: async (...statements) => await administer(url, ...statements.map((statement) => statement.replaceAll('<database>', name))) }
}

/** Registers, orders, reads back from the tables alone, lists, and looks at moments. */
export async function isServed (t: Test, given: Place, env: Record<string, string>): Promise<{ api: App, worker: App, person: Person }> {
  const began = Date.now()
  const api = await startApi(t, given, env)
  const worker = await startWorker(t, given, env)
  const person = await newcomer(api)
  const placed = await order(api, person)
  t.equal(placed.statusCode, 202)
  const ask = async (url: string) => await api.inject({ url, headers: person.headers })
  const path = `/orders/${placed.json<{ order_id: string }>().order_id}`
  await eventually('it is booked', async () => (await ask(path)).json<{ status: string }>().status === 'confirmed')
  const dates = [(await ask('/users/me')).json<{ created_at: string }>().created_at]
  for (const list of ['/orders', `/users/${person.user_id}/orders`]) dates.push(...(await ask(list)).json<{ items: Array<{ created_at: string }> }>().items.map(({ created_at }) => created_at))
  t.equal(dates.length, 3)
  for (const date of dates) t.ok(Math.abs(Date.parse(date) - began) < 3_600_000, `${date} is now`)
  const change = await api.inject({ method: 'PATCH', url: path, headers: person.headers, payload: { item_quantity: line.item_quantity + 1 } })
  t.equal(change.statusCode, 202)
  const timeline = async () => (await ask(`${path}/events`)).json<{ items: Array<{ outcome: string }> }>().items.map(({ outcome }) => outcome)
  await eventually('the change is booked', async () => (await timeline()).join() === 'applied,applied')
  return { api, worker, person }
}
