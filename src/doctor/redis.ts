import { once } from 'node:events'
import { connect } from 'node:net'
import { Redis } from 'ioredis'
import { CLUSTERED, withServerName } from '../cache/redis-client.js'
import { SilenceError } from '../time/in-time.js'
import type { Address, Where } from './address.js'
import { type Clock, noteClock } from './clock.js'
import type { Notes } from './finding.js'
import { ANSWER_MS, answered } from './limits.js'
import { type Explain, explain } from './trouble.js'
import { noteVersion } from './versions.js'

const NEARLY_FULL = 0.9
/** For what a server says unasked. */
const GREETING_MS = 1000
const CLOSED = new Set<string | undefined>(['CLOSED', 'EPIPE', 'ECONNRESET'])
const SILENT = /^(Command timed out|connect ETIMEDOUT)$/

/** By the first word of an error reply. */
const REFUSALS: Record<string, Explain> = {
  NOAUTH: ({ at, variable }) => ({ found: `${at} wants a password, and ${variable} holds none`, advice: `write it into ${variable} (redis://:password@host:6379)` }),
  DENIED: ({ at }) => ({ found: `${at} is in protected mode: it lets in nobody from another machine`, advice: 'set a password there (requirepass), and bind it to the address of this network' }),
  NOPERM: ({ user }) => ({ found: `user ${user} may not run the commands INFO and TIME`, advice: `allow them: ACL SETUSER ${user} +info +time` }),
  NO_DATABASE: ({ at, name, variable }) => ({ found: `${at} has no database ${name}`, advice: `take a lower number in ${variable}, or raise \`databases\` there` })
}

/** @param notes is added to as answers come, so that what was found before a silence is kept */
export async function examineRedis (notes: Notes, { url, address, env }: Where, now: Clock): Promise<void> {
  const client = withServerName(new Redis(url, {
    protocol: 2, lazyConnect: true, enableReadyCheck: false, maxRetriesPerRequest: 0, connectTimeout: ANSWER_MS, commandTimeout: ANSWER_MS, retryStrategy: () => null
  }))
  const said: Error[] = []
  client.on('error', (error) => { said.push(error) })
  try {
    await answered(client.connect())
    const info = await infoOf(client)
    const [refused] = said
    if (refused) throw refused // it goes on in database 0 when the one asked for does not exist
    notes.ok('connection', `database ${address.name} at ${address.at} lets user ${address.user} in`)
    noteInfo(notes, info)
    await noteClock(notes, now, async () => milliseconds(await client.time()))
    await noteChannel(notes, client, `${env.REDIS_PREFIX || 'comanda:'}revocations`, address)
  } catch (error) {
    const cause = error instanceof SilenceError ? error : said[0] ?? error
    const code = codeOf(cause as Error)
    notes.trouble(explain(CLOSED.has(code) && !address.tls && await isProtected(address) ? 'DENIED' : code, cause, address, REFUSALS))
  } finally {
    client.disconnect()
  }
}

/** In protected mode a server refuses before it is asked, and hangs up: a client that writes first may never read it. */
async function isProtected ({ host, at }: Address): Promise<boolean> {
  const socket = connect({ host: host.replace(/^\[|\]$/g, ''), port: Number(at.slice(host.length + 1)) })
  const over = AbortSignal.timeout(GREETING_MS)
  try {
    const [greeting] = await once(socket, 'data', { signal: over }) as [Buffer]
    return greeting.toString('latin1').startsWith('-DENIED')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** null: it has no such command. */
async function infoOf (client: Redis): Promise<string | null> {
  return await client.info().catch((error: Error) => {
    if (error.message.startsWith('ERR unknown command')) return null
    throw error
  })
}

function noteInfo (notes: Notes, text: string | null): void {
  if (text === null) return notes.warn('data', 'it has no INFO (renamed, or a proxy): a replica, cluster mode and a full memory are not seen from here', 'make sure that it is a primary outside cluster mode, or give INFO back')
  const info = read(text)
  noteVersion(notes, info.redis_version ?? 'unknown')
  noteData(notes, info)
  noteMemory(notes, info)
}

function read (info: string): Record<string, string> {
  return Object.fromEntries(info.split('\r\n').filter((line) => line.includes(':')).map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}

function noteData (notes: Notes, { loading, role, redis_mode: mode, rdb_last_bgsave_status: saved, aof_last_write_status: written }: Record<string, string>): void {
  if (loading === '1') notes.warn('data', 'still loading what it had on disk: every command is refused', 'wait; orders are read from Postgres meanwhile')
  else if (mode === 'cluster') notes.wrong('data', CLUSTERED, 'use a Redis without it; orders are read from Postgres meanwhile')
  else if (role === 'slave') notes.wrong('data', 'a replica: nothing can be written', 'name the primary in REDIS_URL')
  else if (saved === 'err' || written === 'err') notes.wrong('data', 'it cannot write to its disk, and refuses what is written until it can', 'free its disk, or turn persistence off: views need none (save "", appendonly no)')
  else notes.ok('data', 'loaded, and taken')
}

function noteMemory (notes: Notes, { maxmemory = '0', used_memory: used = '0', maxmemory_policy: policy = 'noeviction' }: Record<string, string>): void {
  const most = Number(maxmemory)
  if (most === 0) return notes.ok('memory', `no bound is set, so nothing is evicted (${policy})`)
  const full = Number(used) / most
  const found = `${Math.round(full * 100)} % of ${Math.round(most / 2 ** 20)} MiB used, ${policy}`
  if (policy !== 'noeviction') notes.warn('memory', `${found}: a full one drops single keys, and an order not persisted yet may be hidden for a moment`, 'set maxmemory-policy to noeviction: what a full one does not take is read from Postgres')
  else if (full >= NEARLY_FULL) notes.warn('memory', found, 'raise maxmemory: a full one takes no views, and reads go to Postgres')
  else notes.ok('memory', found)
}

/** Ended sessions are told by it. A word that is no mark is published: whether that is allowed cannot be asked otherwise. */
async function noteChannel (notes: Notes, client: Redis, channel: string, { user }: Address): Promise<void> {
  const refused: string[] = []
  for (const [command, run] of [['publish', async () => await client.publish(channel, '-')], ['subscribe', async () => await client.subscribe(channel)]] as const) {
    await run().catch((error: Error) => {
      if (!error.message.startsWith('NOPERM')) throw error
      refused.push(command)
    })
  }
  if (refused.length === 0) notes.ok('channel', 'ended sessions are told to every process at once')
  else notes.warn('channel', `user ${user} may not ${refused.join(' and ')} on ${channel} (NOPERM): sessions that were ended go on elsewhere for a while`, `ACL SETUSER ${user} ${refused.map((command) => `+${command}`).join(' ')} &${channel}`)
}

/** TIME answers in seconds and microseconds. */
function milliseconds ([seconds, micros]: ReadonlyArray<number | string>): number {
  return Number(seconds) * 1000 + Number(micros) / 1000
}

function codeOf ({ message, code }: Error & { code?: string }): string | undefined {
  if (/DB index is out of range/.test(message)) return 'NO_DATABASE'
  if (SILENT.test(message)) return 'SILENCE'
  if (/Connection is closed|Unknown RESP type|Protocol error/.test(message)) return 'CLOSED'
  const [word] = message.split(' ')
  if (word === 'WRONGPASS') return 'WRONG_PASSWORD'
  return code ?? word
}
