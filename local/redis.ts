import { join } from 'node:path'
import { redisAnswers } from './answers.js'
import { findCommand } from './command.js'
import { freePort } from './ports.js'
import { spawnServer } from './processes.js'
import { leftRunning, runningServer, untilReady } from './running-server.js'
import type { Env, Running } from './service.js'
import { keptPassword, lastServer, makeFolder, recordServer, writePrivate } from './state-folder.js'

export interface RedisStart {
  /** This server's own folder: data, log, password. */
  readonly stateDir: string
  readonly env: Env
  /** Default: the last one, else a free one. */
  readonly port?: number
  /** True (default): what was written survives a restart (append-only file, synced every second). */
  readonly durable?: boolean
}

/** The server's binary, null when the machine has none. Valkey answers to the same protocol and settings. */
export function findRedis (env: Env): string | null {
  return findCommand(env, 'redis-server', 'valkey-server')
}

function configuration (stateDir: string, port: number, durable: boolean): string {
  return [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${keptPassword(stateDir)}`,
    `dir ${JSON.stringify(stateDir)}`,
    'save ""',
    `appendonly ${durable ? 'yes' : 'no'}`,
    'daemonize no'
  ].join('\n') + '\n'
}

/**
 * Starts a Redis of this folder's own on 127.0.0.1, or adopts the one a killed launcher left running in it.
 * Throws when there is no binary or it does not answer within 20 s.
 */
export async function startRedis (start: RedisStart): Promise<Running> {
  const stateDir = makeFolder(start.stateDir)
  const password = keptPassword(stateDir)
  const urlOf = (port: number) => `redis://:${password}@127.0.0.1:${port}/0`
  const handle = (record: { pid: number, port: number }, adopted: boolean) => runningServer({
    url: urlOf(record.port), stateDir, record, adopted, stopSignal: 'SIGTERM', stopLimitMs: 10_000
  })
  const left = await leftRunning(stateDir, record => redisAnswers(urlOf(record.port), 1000))
  if (left !== null) return handle(left, true)
  const command = findRedis(start.env)
  if (command === null) throw new Error('no redis-server on the machine')
  const port = start.port ?? await freePort(lastServer(stateDir)?.port)
  const config = join(stateDir, 'redis.conf')
  writePrivate(config, configuration(stateDir, port, start.durable ?? true))
  const log = join(stateDir, 'log')
  const pid = spawnServer({ command, args: [config], env: { LC_ALL: 'C' }, cwd: stateDir, log })
  recordServer(stateDir, { pid, port })
  await untilReady({ what: 'Redis', pid, log, limitMs: 20_000, answers: () => redisAnswers(urlOf(port), 1000) })
  return handle({ pid, port }, false)
}
