import { setTimeout as wait } from 'node:timers/promises'
import fastifyPostgres from '@fastify/postgres'
import fp from 'fastify-plugin'
import { columnTypes } from '../store/database.js'
import { storeError } from '../store/failures.js'
import { migrate } from '../store/migrate.js'
import { hostOf } from './health.js'

const RETRY_MS = 500
const WATCH_MS = 2000

/**
 * Opens the pool, creates the tables as soon as the server answers, and watches it. Nothing here waits for the server:
 * a process boots without it and comes up by itself when the server does.
 */
export const postgresPlugin = fp(async (app) => {
  const { databaseUrl, process } = app.config
  const host = hostOf(databaseUrl)
  await app.register(fastifyPostgres, {
    connectionString: databaseUrl,
    application_name: `comanda ${process}`,
    max: 10,
    connectionTimeoutMillis: 1000,
    idleTimeoutMillis: 30_000,
    statement_timeout: 5000,
    lock_timeout: 4000,
    query_timeout: 6000,
    idle_in_transaction_session_timeout: 10_000,
    types: columnTypes
  })
  const { pool } = app.pg
  // Without a listener an idle connection that is cut takes the process down. One cut says little: the server is asked.
  pool.on('error', () => nextLook.abort())
  let nextLook = new AbortController()
  const down = (cause: Error) => app.health.set('postgres', 'down', {
    host, cause, message: 'Postgres is away: orders are still taken by the broker, all else waits; trying again'
  })

  const stopping = new AbortController()
  const watch = async () => {
    for (let migrated = false; !stopping.signal.aborted;) {
      try {
        if (!migrated) await migrate(databaseUrl).then((names) => names.length > 0 && app.log.info({ migrations: names }, 'tables created or changed'))
        migrated = true
        const { rows } = await pool.query<{ server_version: string }>('show server_version')
        app.health.set('postgres', 'up', { host, message: 'Postgres is up', server_version: rows[0]!.server_version })
      } catch (error) {
        if (!stopping.signal.aborted) down(storeError(error).cause as Error)
      }
      const pause = app.health.state('postgres') === 'up' ? WATCH_MS : RETRY_MS
      nextLook = new AbortController()
      if (!stopping.signal.aborted) await wait(pause, undefined, { signal: nextLook.signal }).catch(() => {})
    }
  }
  let watching = Promise.resolve()
  app.addHook('onReady', async () => { watching = watch() })
  app.addHook('onClose', async () => {
    stopping.abort()
    nextLook.abort()
    await watching
  })
}, { name: 'postgres', dependencies: ['config', 'health'] })
