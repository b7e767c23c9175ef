import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sweepAbandoned } from '../local/abandoned.js'
import { runCommand } from '../local/command.js'
import { lockFolder } from '../local/lock.js'
import { startPostgres } from '../local/postgres.js'
import { startRabbitmq } from '../local/rabbitmq.js'
import { startRedis } from '../local/redis.js'
import { makeFolder } from '../local/state-folder.js'
import type { Cleanup } from '../testkit/cleanup.js'
import { BrokerCluster } from './broker-cluster.js'
import { type Service, SERVICES, type Stage } from './faults.js'
import { openNodeLinks } from './node-links.js'
import { type DrillService, OwnService } from './own-service.js'
import { PostgresWithStandby } from './postgres-with-standby.js'

const RABBITMQCTL_LIMIT_MS = 20_000

export type DrillServices = Record<Service, DrillService>
/** What a cluster has that one machine's services have not. */
export interface Clustered { broker: BrokerCluster, postgres: PostgresWithStandby }

/**
 * Starts all three in a folder of this run, removed at the end. Redis keeps nothing: it comes back empty.
 * The moment of each commit is kept by Postgres: the checker compares it with what readers saw.
 */
export async function startServices (stage: Stage, env: NodeJS.ProcessEnv, cleanup: Cleanup): Promise<{ services: DrillServices, clustered: Clustered | null }> {
  const stateDir = makeFolder(mkdtempSync(join(tmpdir(), 'comanda-drill-')))
  // Purpose `test`: should this process be killed, the next run of drill or tests sweeps up what it leaves.
  const release = lockFolder(stateDir, 'test')
  cleanup.add(stateDir, () => {
    release()
    rmSync(stateDir, { recursive: true, force: true })
  })
  await sweepAbandoned(stateDir)
  const at = (name: string, port?: number) => ({ stateDir: join(stateDir, name), env, ...(port === undefined ? {} : { port }) })
  const settings = { track_commit_timestamp: 'on', max_connections: '200' }
  const redis = new OwnService('redis', async (port) => await startRedis({ ...at('redis', port), durable: false }))
  const clustered = stage === 'cluster'
    ? {
        broker: new BrokerCluster(stateDir, env, await openNodeLinks(stateDir, env, cleanup)),
        postgres: new PostgresWithStandby({ ...at('postgres'), settings })
      }
    : null
  const services: DrillServices = {
    redis,
    ...(clustered ?? {
      broker: new OwnService('broker', async (port) => await startRabbitmq(at('rabbitmq', port))),
      postgres: new OwnService('postgres', async (port) => await startPostgres({ ...at('postgres', port), settings }))
    })
  }
  const starting = SERVICES.map(async (name) => await services[name].start())
  // Also while they are still starting: they run in sessions of their own and would outlive us.
  cleanup.add('services', async () => {
    await Promise.allSettled(starting)
    await Promise.all(SERVICES.map(async (name) => await services[name].stop()))
  })
  await Promise.all(starting)
  return { services, clustered }
}

/** @throws Error with what rabbitmqctl said */
export async function rabbitmqctl ({ running: { control } }: DrillService, ...args: string[]): Promise<string> {
  if (control === undefined) throw new Error('no rabbitmqctl')
  const result = await runCommand(control.command, [...control.args, ...args], { env: control.env, limitMs: RABBITMQCTL_LIMIT_MS })
  if (!result.ok) throw new Error(`rabbitmqctl ${args.join(' ')}: ${result.stderr.trim()}`)
  return result.stdout
}
