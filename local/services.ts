import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { sweepAbandoned } from './abandoned.js'
import { choices, titles } from './choices.js'
import { lockFolder } from './lock.js'
import type { FindOptions, LocalService, LocalServices, ServiceName } from './service.js'

export type { FindOptions, LocalService, LocalServices, ServiceName } from './service.js'

const withoutIt: Record<ServiceName, string> = {
  postgres: 'nothing runs without it',
  redis: 'running without it',
  rabbitmq: 'running without it'
}

function missing (name: ServiceName, reasons: readonly string[]): LocalService {
  const how = `${titles[name]}: not to be had (${reasons.join('; ')}): ${withoutIt[name]}`
  return { name, url: null, how, ours: false, stop: async () => {} }
}

/**
 * Takes the first choice that is open. One that is open but fails ends the search: the next would lead to other data.
 */
async function findService (name: ServiceName, options: FindOptions): Promise<LocalService> {
  const reasons: string[] = []
  for (const choice of choices[name]) {
    try {
      const found = await choice(options)
      if (typeof found !== 'string') return found
      reasons.push(found)
    } catch (error) {
      return missing(name, [(error as Error).message])
    }
  }
  // the first two say only that no choice was made for us
  return missing(name, reasons.slice(2))
}

/**
 * Finds or starts Postgres, Redis and RabbitMQ, all three at the same time, and says one line for each.
 * A service that cannot be had comes back with url null and the reason; it never throws for that.
 * Throws when another launcher works on the same state folder.
 */
export async function findServices (options: FindOptions): Promise<LocalServices> {
  const stateDir = resolve(options.stateDir)
  const release = lockFolder(stateDir, options.purpose)
  if (options.purpose === 'test') await sweepAbandoned(stateDir)
  const find = async (name: ServiceName) => {
    const service = await findService(name, { ...options, stateDir })
    options.say(service.how)
    return service
  }
  const [postgres, redis, rabbitmq] = await Promise.all([find('postgres'), find('redis'), find('rabbitmq')])
  let stopping: Promise<void> | undefined
  const stop = async () => {
    const ends = await Promise.allSettled([postgres, redis, rabbitmq].map(service => service.stop()))
    if (options.purpose === 'test') rmSync(stateDir, { recursive: true, force: true })
    release()
    const failed = ends.find(end => end.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
  return { postgres, redis, rabbitmq, stop: () => (stopping ??= stop()) }
}

/** Where `npm start` keeps its data: as root outside the project, whose folder the Postgres user may not be able to enter. */
export function defaultStateDir (projectDir: string): string {
  if (process.getuid?.() !== 0) return join(projectDir, '.local')
  const hash = createHash('sha256').update(resolve(projectDir)).digest('hex').slice(0, 8)
  return `/var/lib/comanda-${hash}`
}

/** A fresh folder for one run of the tests; findServices({ purpose: 'test' }).stop() removes it. */
export function testStateDir (): string {
  return mkdtempSync(join(tmpdir(), 'comanda-test-'))
}
