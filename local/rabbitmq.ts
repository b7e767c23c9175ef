import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { rabbitAnswers } from './answers.js'
import { findCommand, searchPath, versionsIn } from './command.js'
import { endEpmd } from './epmd.js'
import { freePort } from './ports.js'
import { spawnServer } from './processes.js'
import { leftRunning, runningServer, untilReady } from './running-server.js'
import type { Env, Running } from './service.js'
import { keptPassword, lastServer, makeFolder, recordServer, writePrivate, type ServerRecord } from './state-folder.js'

const user = 'comanda'
/** Always the same, with a port mapper of its own: the data folder is named after it. */
const nodeName = 'comanda@localhost'

export interface RabbitStart {
  /** This node's own folder: data, log, password, cookie. */
  readonly stateDir: string
  readonly env: Env
  /** AMQP port. Default: the last one, else a free one. */
  readonly port?: number
}

/**
 * The folder of the real `rabbitmq-server` and `rabbitmqctl` scripts, null when the machine has none. Never Debian's
 * wrapper on PATH: it becomes the user rabbitmq and ignores our folders.
 */
export function findRabbit (env: Env): string | null {
  const onPath = findCommand(env, 'rabbitmq-server')
  if (onPath === null) return null
  const packaged = [...new Set([dirname(onPath), ...searchPath(env)])].flatMap(folder => {
    const versions = join(dirname(folder), 'lib', 'rabbitmq', 'lib')
    return versionsIn(versions, /^rabbitmq_server-/).map(version => join(versions, version, 'sbin'))
  })
  const folders = [...packaged, dirname(onPath), dirname(realpathSync(onPath))]
  return folders.find(folder => existsSync(join(folder, 'rabbitmq-env')) && existsSync(join(folder, 'rabbitmqctl'))) ?? null
}

function nodeEnv (env: Env, stateDir: string, epmdPort: number): Env {
  const at = (name: string) => join(stateDir, name)
  return {
    PATH: searchPath(env).join(':'),
    LANG: 'C.UTF-8',
    HOME: at('home'), // the cookie: this node's own
    ERL_CRASH_DUMP: at('erl_crash.dump'), // else it lands where the launcher was called
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: nodeName,
    RABBITMQ_CONF_ENV_FILE: at('rabbitmq-env.conf')
  }
}

function serverEnv (stateDir: string, distPort: number): Env {
  const at = (name: string) => join(stateDir, name)
  return {
    RABBITMQ_MNESIA_BASE: at('data'),
    RABBITMQ_LOG_BASE: at('logs'),
    RABBITMQ_SCHEMA_DIR: at('schema'),
    RABBITMQ_GENERATED_CONFIG_DIR: at('config'),
    RABBITMQ_CONFIG_FILE: at('rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: at('advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: at('plugins'),
    RABBITMQ_PID_FILE: at('pid'),
    RABBITMQ_DIST_PORT: String(distPort),
    // loopback only, for the distribution as well; no busy waiting on a machine that has other work to do
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1} -noinput',
    // the script then replaces itself by the node: the pid we hold is the server's own
    RUNNING_UNDER_SYSTEMD: 'true'
  }
}

function writeFiles (stateDir: string, port: number): void {
  for (const name of ['home', 'data', 'logs', 'schema', 'config']) makeFolder(join(stateDir, name))
  writePrivate(join(stateDir, 'rabbitmq-env.conf'), '')
  writePrivate(join(stateDir, 'advanced.config'), '[].\n')
  writePrivate(join(stateDir, 'plugins'), '[].\n')
  writePrivate(join(stateDir, 'rabbitmq.conf'), [
    `listeners.tcp.local = 127.0.0.1:${port}`,
    `default_user = ${user}`,
    `default_pass = ${keptPassword(stateDir)}`,
    'disk_free_limit.absolute = 50MB',
    'log.console = false',
    'log.file = rabbitmq.log',
    ''
  ].join('\n'))
}

/**
 * Starts a RabbitMQ node of this folder's own on 127.0.0.1, or adopts the one a killed launcher left running in it.
 * Takes 4 to 6 s. Throws when there is no binary or it does not answer within 60 s.
 */
export async function startRabbitmq (start: RabbitStart): Promise<Running> {
  const stateDir = makeFolder(start.stateDir)
  const password = keptPassword(stateDir)
  const urlOf = (port: number) => `amqp://${user}:${password}@127.0.0.1:${port}`
  const folder = findRabbit(start.env)
  const handle = (record: Omit<ServerRecord, 'mark'>, adopted: boolean) => {
    const epmdPort = record.epmdPort ?? 0
    const env = nodeEnv(start.env, stateDir, epmdPort)
    return runningServer({
      url: urlOf(record.port),
      stateDir,
      record,
      adopted,
      stopSignal: 'SIGTERM',
      stopLimitMs: 20_000,
      ...(folder === null ? {} : { control: { command: join(folder, 'rabbitmqctl'), args: [], env, port: record.port } }),
      afterStop: () => endEpmd(epmdPort)
    })
  }
  const left = await leftRunning(stateDir, record => rabbitAnswers(urlOf(record.port), 1000))
  if (left !== null) return handle(left, true)
  if (folder === null) throw new Error('no rabbitmq-server on the machine')
  const last = lastServer(stateDir)
  if (last?.epmdPort !== undefined) await endEpmd(last.epmdPort)
  const port = start.port ?? await freePort(last?.port)
  const epmdPort = await freePort(last?.epmdPort)
  writeFiles(stateDir, port)
  const log = join(stateDir, 'log')
  const env = { ...nodeEnv(start.env, stateDir, epmdPort), ...serverEnv(stateDir, await freePort()) }
  const pid = spawnServer({ command: join(folder, 'rabbitmq-server'), args: [], env, cwd: stateDir, log })
  recordServer(stateDir, { pid, port, epmdPort })
  await untilReady({ what: 'RabbitMQ', pid, log, limitMs: 60_000, answers: () => rabbitAnswers(urlOf(port), 1000) })
    .catch(async error => { await endEpmd(epmdPort); throw error })
  return handle({ pid, port, epmdPort }, false)
}
