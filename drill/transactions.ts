import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { FEED_LOCK } from '../src/store/order-events.js'
import { administer } from '../testkit/databases.js'
import type { Heal } from './faults.js'
import type { DrillService } from './own-service.js'

const PAUSE_MS = 20
const NUMBERS = 'order_events_position'

/** Holds back what goes by the oldest transaction of the server (a snapshot's xmin), and must hold back nothing of ours. */
export async function longWrite (own: DrillService): Promise<Heal> {
  const name = `elsewhere_${Date.now()}`
  await administer(own.url, `create database ${name}`)
  const url = new URL(own.url)
  url.pathname = `/${name}`
  const client = await connect(url.href)
  await client.query('create table t (n int); begin; insert into t values (1)')
  return async () => {
    await client.query('commit')
    await client.end()
    await administer(own.url, `drop database ${name}`)
  }
}

/** Draws positions as a worker does, and gives none of them to an event. */
export async function rollbacks (own: DrillService): Promise<Heal> {
  const client = await connect(own.url)
  const over = new AbortController()
  const running = (async () => {
    while (!over.signal.aborted) {
      await client.query(`begin; select pg_advisory_xact_lock(${FEED_LOCK}); select nextval('${NUMBERS}') from generate_series(1, 7); rollback`)
      await wait(PAUSE_MS)
    }
  })()
  running.catch(() => {}) // the heal reports it
  return async () => {
    over.abort()
    await running.finally(async () => await client.end())
  }
}

async function connect (url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => {})
  await client.connect()
  return client
}
