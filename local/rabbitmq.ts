import { join } from 'node:path'
import { rabbitAnswers } from './answers.js'
import { endEpmd } from './epmd.js'
import { freePort } from './ports.js'
import { spawnServer } from './processes.js'
import { type ClusterMember, findRabbit, nodeEnv, passwordOf, serverEnv, user, writeFiles } from './rabbitmq-node.js'
import { leftRunning, runningServer, untilReady } from './running-server.js'
import type { Env, Running } from './service.js'
import { lastServer, makeFolder, recordServer, type ServerRecord } from './state-folder.js'

const START_LIMIT_MS = 60_000

export interface RabbitStart {
  /** This node's own folder: data, log, password, cookie. */
  readonly stateDir: string
  readonly env: Env
  /** AMQP port. Default: the last one, else a free one. */
  readonly port?: number
  /** Of a cluster. Default: it stands alone. */
  readonly member?: ClusterMember
}

/**
 * Starts a RabbitMQ node of this folder's own on 127.0.0.1, or adopts the one a killed launcher left running in it.
 * Takes 4 to 6 s. Throws when there is no binary or it does not answer within 60 s.
 */
export async function startRabbitmq (start: RabbitStart): Promise<Running> {
  const { member } = start
  const stateDir = makeFolder(start.stateDir)
  const password = passwordOf(stateDir, member)
  const urlOf = (port: number) => `amqp://${user}:${password}@127.0.0.1:${port}`
  const folder = findRabbit(start.env)
  const handle = (record: Omit<ServerRecord, 'mark'>, adopted: boolean) => {
    const epmdPort = record.epmdPort ?? 0
    const env = nodeEnv(start.env, stateDir, epmdPort, member)
    return runningServer({
      url: urlOf(record.port),
      stateDir,
      record,
      adopted,
      stopSignal: 'SIGTERM',
      stopLimitMs: 20_000,
      ...(folder === null ? {} : { control: { command: join(folder, 'rabbitmqctl'), args: [], env, port: record.port } }),
      ...(member ? {} : { afterStop: () => endEpmd(epmdPort) })
    })
  }
  const left = await leftRunning(stateDir, record => rabbitAnswers(urlOf(record.port), 1000))
  if (left !== null) return handle(left, true)
  if (folder === null) throw new Error('no rabbitmq-server on the machine')
  const last = lastServer(stateDir)
  const port = start.port ?? await freePort(last?.port)
  const epmdPort = member?.epmdPort ?? await ownEpmdPort(last?.epmdPort)
  writeFiles(stateDir, port, member)
  const log = join(stateDir, 'log')
  const env = { ...nodeEnv(start.env, stateDir, epmdPort, member), ...serverEnv(stateDir, member?.distPort ?? await freePort()) }
  const pid = spawnServer({ command: join(folder, 'rabbitmq-server'), args: [], env, cwd: stateDir, log })
  recordServer(stateDir, { pid, port, epmdPort })
  await untilReady({ what: 'RabbitMQ', pid, log, limitMs: START_LIMIT_MS, answers: () => rabbitAnswers(urlOf(port), 1000) })
    .catch(async error => { if (!member) await endEpmd(epmdPort); throw error })
  return handle({ pid, port, epmdPort }, false)
}

/** What a node that was killed left of its port mapper is ended first. */
async function ownEpmdPort (last: number | undefined): Promise<number> {
  if (last !== undefined) await endEpmd(last)
  return await freePort(last)
}
