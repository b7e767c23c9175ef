import { join } from 'node:path'
import { postgresAnswers, rabbitAnswers, redisAnswers } from './answers.js'
import { aptInstall } from './apt.js'
import { findCommand } from './command.js'
import { dockerService } from './docker.js'
import { machinePostgres, npmPostgres, type PostgresBinaries } from './postgres-binaries.js'
import { startPostgres } from './postgres.js'
import { startRabbitmq } from './rabbitmq.js'
import { findRabbit } from './rabbitmq-node.js'
import { findRedis, startRedis } from './redis.js'
import type { FindOptions, LocalService, RabbitControl, Running, ServiceName } from './service.js'
import { makeFolder } from './state-folder.js'

/** One way to a service: the service, or a sentence saying why this way is closed. Throws when it is open but fails. */
export type Choice = (options: FindOptions) => Promise<LocalService | string>

export const titles: Record<ServiceName, string> = { postgres: 'Postgres', redis: 'Redis', rabbitmq: 'RabbitMQ' }

const variables = { postgres: 'DATABASE_URL', redis: 'REDIS_URL', rabbitmq: 'AMQP_URL' } as const

const localhost: Record<ServiceName, { url: string, answers: (url: string, limitMs: number) => Promise<boolean> }> = {
  postgres: { url: 'postgres://postgres@127.0.0.1:5432/postgres', answers: postgresAnswers },
  redis: { url: 'redis://127.0.0.1:6379/0', answers: redisAnswers },
  rabbitmq: { url: 'amqp://guest:guest@127.0.0.1:5672', answers: rabbitAnswers }
}

/** The machine's own rabbitmqctl, for a node on this machine that another user or program runs. */
function machineControl (name: ServiceName, url: string, options: FindOptions): { control?: RabbitControl } {
  const { hostname, port } = new URL(url)
  const command = findCommand(options.env, 'rabbitmqctl')
  if (name !== 'rabbitmq' || command === null || !/^(localhost|127\.|\[::1\])/.test(hostname)) return {}
  return { control: { command, args: [], env: options.env, port: Number(port || 5672) } }
}

function someoneElses (name: ServiceName, url: string, how: string, options: FindOptions): LocalService {
  return { name, url, how: `${titles[name]}: ${how}`, ours: false, ...machineControl(name, url, options), stop: async () => {} }
}

const prefix = (options: FindOptions) => options.purpose === 'test' ? 'TEST_' : ''

const given = (name: ServiceName): Choice => async options => {
  const variable = prefix(options) + variables[name]
  const url = options.env[variable] ?? ''
  return url === '' ? `no ${variable}` : someoneElses(name, url, `at ${variable}`, options)
}

const onLocalhost = (name: ServiceName): Choice => async options => {
  const variable = options.purpose === 'test' ? 'TEST_USE_LOCALHOST' : 'COMANDA_USE_LOCALHOST'
  if (options.env[variable] !== '1') return `localhost not asked for (${variable}=1)`
  const { url, answers } = localhost[name]
  if (!await answers(url, 2000)) return 'nothing answers on localhost'
  return someoneElses(name, url, `already answering on localhost, port ${new URL(url).port}`, options)
}

const folderOf = (name: ServiceName, options: FindOptions) => makeFolder(join(options.stateDir, name))

function ownServer (name: ServiceName, running: Running, from: string): LocalService {
  return {
    name,
    url: running.url,
    how: `${titles[name]}: ${running.adopted ? 'still running from an earlier start' : `started from the ${from}`}, port ${running.port}, data in ${running.stateDir}`,
    ours: true,
    ...(running.control === undefined ? {} : { control: running.control }),
    stop: () => running.stop()
  }
}

async function postgresFrom (binaries: PostgresBinaries | string, options: FindOptions): Promise<LocalService | string> {
  if (typeof binaries === 'string') return binaries
  const running = await startPostgres({ stateDir: folderOf('postgres', options), env: options.env, durable: options.purpose === 'start', settings: options.postgresSettings ?? {}, binaries })
  return ownServer('postgres', running, `${binaries.from} (${binaries.version})`)
}

const npm: Choice = async options => await postgresFrom(await npmPostgres(folderOf('postgres', options)), options)

const postgresBinary: Choice = async options => await postgresFrom(await machinePostgres(options.env), options)

const redisBinary: Choice = async options => {
  const binary = findRedis(options.env)
  if (binary === null) return 'no redis-server on the machine'
  const running = await startRedis({ stateDir: folderOf('redis', options), env: options.env, durable: options.purpose === 'start' })
  return ownServer('redis', running, `binary ${binary}`)
}

const rabbitBinary: Choice = async options => {
  const folder = findRabbit(options.env)
  if (folder === null) return 'no rabbitmq-server on the machine'
  const running = await startRabbitmq({ stateDir: folderOf('rabbitmq', options), env: options.env })
  return ownServer('rabbitmq', running, `binary ${join(folder, 'rabbitmq-server')}`)
}

const docker = (name: ServiceName): Choice => options => dockerService(name, options)

const apt = (debianPackage: string, binary: Choice): Choice => async options =>
  await aptInstall(debianPackage, options) ?? await binary(options)

/** The order of the decision: a developer's own choice first, nothing that changes the machine until all else is closed. */
export const choices: Record<ServiceName, readonly Choice[]> = {
  postgres: [given('postgres'), onLocalhost('postgres'), npm, postgresBinary, docker('postgres'), apt('postgresql', postgresBinary)],
  redis: [given('redis'), onLocalhost('redis'), redisBinary, docker('redis'), apt('redis-server', redisBinary)],
  rabbitmq: [given('rabbitmq'), onLocalhost('rabbitmq'), rabbitBinary, docker('rabbitmq'), apt('rabbitmq-server', rabbitBinary)]
}
