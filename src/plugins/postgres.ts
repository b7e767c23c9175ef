import { setTimeout as wait } from 'node:timers/promises'
import fastifyPostgres from '@fastify/postgres'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import pg from 'pg'
import { hostOf } from '../addresses/service-urls.js'
import { ProblemError } from '../http/problems.js'
import { logLine } from '../logs/log-line.js'
import { clientSettings, dropIdle } from '../store/connections.js'
import { storeError, StoreError } from '../store/failures.js'
import { checkTables, migrate } from '../store/migrate.js'
import { poolerFault, UnfitDatabase } from '../store/requirements.js'
import { serverNow } from '../store/server.js'
import { traceStatements } from '../tracing/traced.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The pool for a request's own statements. @throws ProblemError `unavailable` while Postgres is known to be away: no request waits for it then */
    requestPool (): pg.Pool
    /** A pool of its own for what must not wait behind reads: the fallback queue and the watch. */
    reservedPool: pg.Pool
  }
}

const RETRY_MS = 500
const WATCH_MS = 2000
/** Milliseconds. A request's statements are short; a batch of the worker may take long on a slow disk. */
const LIMITS = {
  api: { statement_timeout: 2500, lock_timeout: 2000, query_timeout: 3000 },
  worker: { statement_timeout: 5000, lock_timeout: 4000, query_timeout: 6000 },
  relay: { statement_timeout: 5000, lock_timeout: 4000, query_timeout: 6000 }
}
const COMMON = { connectionTimeoutMillis: 1000, idleTimeoutMillis: 30_000, idle_in_transaction_session_timeout: 10_000 }
/** The server is asked by these whether it is there. */
const RESERVED = { max: 3, statement_timeout: 2000, lock_timeout: 1500, query_timeout: 2500 }

/**
 * Opens the pool, creates the tables as soon as the server answers, and watches it. Nothing here waits for the server:
 * a process boots without it and comes up by itself when the server does.
 */
export const postgresPlugin = fp(async (app) => {
  const { database, process } = app.config
  const host = hostOf(database.url)
  await app.register(fastifyPostgres, clientSettings(database, process, { ...COMMON, max: 10, ...LIMITS[process] }))
  const { pool } = app.pg
  const reserved = new pg.Pool(clientSettings(database, process, { ...COMMON, ...RESERVED }))
  if (app.traces) for (const each of [pool, reserved]) traceStatements(app.traces, each)
  // Without a listener an idle connection that is cut takes the process down. One cut says little: the server is asked.
  for (const each of [pool, reserved]) each.on('error', () => nextLook.abort())
  let nextLook = new AbortController()
  const down = (cause: Error) => app.health.set('postgres', 'down', { host, cause })

  app.decorate('reservedPool', reserved)
  app.decorate('requestPool', () => {
    if (app.health.state('postgres') === 'down') throw new ProblemError('unavailable')
    return pool
  })

  const stopping = new AbortController()
  const watch = async () => {
    for (let migrated = false; !stopping.signal.aborted;) {
      try {
        if (!migrated) await prepareTables(app, stopping.signal)
        migrated = true
        const { version, read_only: readOnly } = await serverNow(reserved)
        app.health.set('postgres', 'up', { host, server_version: version })
        if (readOnly) await Promise.all([pool, reserved].map(dropIdle))
      } catch (error) {
        if (stopping.signal.aborted) return
        down(causeOf(error))
        if (error instanceof UnfitDatabase && error.final) return app.health.giveUp()
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
    await reserved.end()
  })
}, { name: 'postgres', dependencies: ['config', 'tracing', 'errors', 'health'] })

async function prepareTables (app: FastifyInstance, signal: AbortSignal): Promise<void> {
  const { database, migrates } = app.config
  if (!migrates) return await checkTables(app.reservedPool, database.pooling)
  const onWait = () => logLine(app.log, { event: 'migrations_awaited' })
  const migrations = await migrate(database.url, { signal, onWait })
  if (migrations.length > 0) logLine(app.log, { event: 'migrations_applied', migrations })
}

/** Of a failure, what the server or the driver said; what leads out of it, where that is known. */
function causeOf (error: unknown): Error {
  const pooler = poolerFault(error)
  if (pooler) return new Error(`${pooler.found}: ${pooler.advice}`)
  const known = storeError(error)
  return known instanceof StoreError && known.cause instanceof Error ? known.cause : known
}
