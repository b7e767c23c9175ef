import { randomBytes } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findCommand, searchPath, versionsIn } from './command.js'
import type { Env } from './service.js'
import { keptPassword, makeFolder, readIfThere, writePrivate } from './state-folder.js'

/** What a node of RabbitMQ is given: programs, environment and files. */

export const user = 'comanda'
/** Always the same, with a port mapper of its own: the data folder is named after it. */
const LONE_NODE = 'comanda@localhost'
/** Seconds. A node that is silent for so long is taken for gone (Erlang's kernel, `net_ticktime`); RabbitMQ's own default is 60. */
const TICK_SECONDS = 8

/** A node of a cluster: what it shares with the others, and where it finds them. */
export interface ClusterMember {
  /** As `comanda-1@localhost`. */
  readonly name: string
  /** All of the cluster, itself among them. */
  readonly nodes: readonly string[]
  /** The cluster's own folder: one password and one cookie for all. */
  readonly clusterDir: string
  /** Where names of nodes are looked up: an epmd, or what speaks as one. */
  readonly epmdPort: number
  /** On which the other nodes reach it. */
  readonly distPort: number
  /** Of the management API. Default: it has none. */
  readonly managementPort?: number
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

export function nodeEnv (env: Env, stateDir: string, epmdPort: number, member?: ClusterMember): Env {
  const at = (name: string) => join(stateDir, name)
  return {
    PATH: searchPath(env).join(':'),
    LANG: 'C.UTF-8',
    HOME: homeOf(stateDir, member), // the cookie: this node's own, or its cluster's
    ERL_CRASH_DUMP: at('erl_crash.dump'), // else it lands where the launcher was called
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: member?.name ?? LONE_NODE,
    RABBITMQ_CONF_ENV_FILE: at('rabbitmq-env.conf')
  }
}

export function serverEnv (stateDir: string, distPort: number): Env {
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

/** Of the node, or of the cluster that it belongs to. */
export function passwordOf (stateDir: string, member?: ClusterMember): string {
  return keptPassword(member?.clusterDir ?? stateDir)
}

function homeOf (stateDir: string, member?: ClusterMember): string {
  return join(member?.clusterDir ?? stateDir, 'home')
}

export function writeFiles (stateDir: string, port: number, member?: ClusterMember): void {
  for (const name of ['data', 'logs', 'schema', 'config']) makeFolder(join(stateDir, name))
  const home = makeFolder(homeOf(stateDir, member))
  const cookie = join(home, '.erlang.cookie')
  if (member && readIfThere(cookie) === null) writePrivate(cookie, randomBytes(20).toString('hex'))
  writePrivate(join(stateDir, 'rabbitmq-env.conf'), '')
  writePrivate(join(stateDir, 'advanced.config'), member ? `[{kernel, [{net_ticktime, ${TICK_SECONDS}}]}].\n` : '[].\n')
  writePrivate(join(stateDir, 'plugins'), member?.managementPort === undefined ? '[].\n' : '[rabbitmq_management].\n')
  writePrivate(join(stateDir, 'rabbitmq.conf'), [
    `listeners.tcp.local = 127.0.0.1:${port}`,
    `default_user = ${user}`,
    `default_pass = ${passwordOf(stateDir, member)}`,
    'disk_free_limit.absolute = 50MB',
    'log.console = false',
    'log.file = rabbitmq.log',
    ...clusterLines(member),
    ''
  ].join('\n'))
}

/** A minority pauses rather than answer for the whole (RabbitMQ, "Clustering and Network Partitions"). */
function clusterLines (member?: ClusterMember): string[] {
  if (!member) return []
  return [
    'cluster_formation.peer_discovery_backend = classic_config',
    ...member.nodes.map((name, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${name}`),
    'cluster_partition_handling = pause_minority',
    ...(member.managementPort === undefined ? [] : ['management.tcp.ip = 127.0.0.1', `management.tcp.port = ${member.managementPort}`])
  ]
}
