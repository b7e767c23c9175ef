import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { defaultStateDir, findServices, type LocalService, type LocalServices } from '../../local/services.js'
import type { Cleanup } from '../../testkit/cleanup.js'
import { administer, createDatabase, dropDatabase } from '../../testkit/databases.js'
import { ownVirtualHost } from './virtual-host.js'

/** Where it is all measured: a database, a Redis prefix and a broker virtual host that nobody else uses. */
export interface Environment {
  databaseUrl: string
  redisUrl: string
  redisPrefix: string
  amqpUrl: string
  /** What each service is, for the record: version and what makes it durable. */
  services: Record<'postgres' | 'redis' | 'rabbitmq', Record<string, string>>
}

type Facts = Record<'version' | 'fsync' | 'synchronous_commit', string>

/** Finds or starts the services and makes places of our own in them, removed at the end. @throws Error when one is missing or unfit */
export async function openEnvironment (env: NodeJS.ProcessEnv, cleanup: Cleanup): Promise<Environment> {
  const services = await startServices(env, cleanup)
  const name = `comanda-bench-${process.pid}`
  const [postgres, redis, rabbitmq] = await Promise.all([
    ownDatabase(urlOf(services.postgres), name.replaceAll('-', '_'), cleanup),
    ownPrefix(urlOf(services.redis), `${name}:`, cleanup),
    ownVirtualHost(services.rabbitmq, name, cleanup)
  ])
  return {
    databaseUrl: postgres.url,
    redisUrl: urlOf(services.redis),
    redisPrefix: `${name}:`,
    amqpUrl: rabbitmq.url,
    services: { postgres: postgres.facts, redis: redis.facts, rabbitmq: rabbitmq.facts }
  }
}

/** Databases alone, for a bench that needs nothing else: the other services are called given, so nobody looks for them. */
export async function openDatabases (env: NodeJS.ProcessEnv, names: readonly string[], cleanup: Cleanup): Promise<{ urls: string[], postgres: Record<string, string> }> {
  const elsewhere = { BENCH_REDIS_URL: 'redis://nowhere', BENCH_AMQP_URL: 'amqp://nowhere' }
  const { postgres } = await startServices({ ...env, ...elsewhere }, cleanup, () => {})
  console.log(postgres.how)
  const databases = []
  for (const name of names) databases.push(await ownDatabase(urlOf(postgres), `comanda_bench_${process.pid}_${name}`, cleanup))
  return { urls: databases.map(({ url }) => url), postgres: databases[0]!.facts }
}

/** Purpose `start`: a throw-away Postgres for tests runs without fsync, and its figures would be fairy tales. */
async function startServices (env: NodeJS.ProcessEnv, cleanup: Cleanup, say: (line: string) => void = console.log): Promise<LocalServices> {
  const stateDir = defaultStateDir(join(import.meta.dirname, '..'))
  const { BENCH_DATABASE_URL, BENCH_REDIS_URL, BENCH_AMQP_URL, COMANDA_USE_LOCALHOST, ...rest } = env
  const given = { DATABASE_URL: BENCH_DATABASE_URL, REDIS_URL: BENCH_REDIS_URL, AMQP_URL: BENCH_AMQP_URL }
  const finding = findServices({ env: { ...rest, ...given }, purpose: 'start', stateDir, say, postgresSettings: { track_commit_timestamp: 'on' } })
  // Also while they are still starting: they run in sessions of their own and would outlive us.
  cleanup.add('services', async () => {
    const services = await finding.catch(() => null)
    if (services === null) return
    await services.stop()
    // A container's volume outlives it and wants the password that is kept in this folder.
    const inDocker = [services.postgres, services.redis, services.rabbitmq].some(({ how }) => how.includes('Docker container'))
    if (!inDocker) rmSync(stateDir, { recursive: true, force: true })
  })
  return await finding
}

function urlOf ({ url, how }: LocalService): string {
  if (url === null) throw new Error(`the bench needs all three services. ${how}`)
  return url
}

/** A database of this name in the server of the URL, removed at the end. @throws Error when the server does not keep what it commits */
export async function ownDatabase (serverUrl: string, name: string, cleanup: Cleanup): Promise<{ url: string, facts: Record<string, string> }> {
  const [facts] = await administer<Facts>(serverUrl, "select current_setting('server_version') as version, current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit")
  const { fsync, synchronous_commit: synchronousCommit } = facts!
  if (fsync !== 'on' || synchronousCommit === 'off') {
    throw new Error(`this Postgres runs with fsync ${fsync} and synchronous_commit ${synchronousCommit}: what it calls committed is not on disk, its figures would be worth nothing`)
  }
  cleanup.add(`database ${name}`, async () => await dropDatabase(serverUrl, name))
  return { url: await createDatabase(serverUrl, name), facts: { ...facts! } }
}

async function ownPrefix (url: string, prefix: string, cleanup: Cleanup): Promise<{ facts: Record<string, string> }> {
  const client = new Redis(url, { maxRetriesPerRequest: 1 })
  client.on('error', () => {}) // the command under way reports it
  cleanup.add(`Redis keys ${prefix}*`, async () => {
    for await (const keys of client.scanStream({ match: `${prefix}*`, count: 10_000 }) as AsyncIterable<string[]>) {
      if (keys.length > 0) await client.unlink(...keys)
    }
    client.disconnect()
  })
  const info = await client.info()
  const fact = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? 'unknown'
  return { facts: { version: fact('redis_version'), append_only_file: fact('aof_enabled') === '1' ? 'on' : 'off' } }
}
