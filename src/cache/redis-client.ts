import { isIP } from 'node:net'
import { Redis } from 'ioredis'
import { type BackOff, backOff } from '../time/back-off.js'

const RECONNECT: BackOff = { first: 100, longest: 2000 }
/** A server (its `timeout`), a firewall or a cloud ends a connection on which nothing is asked for long: each end puts views in doubt. */
const ASK_MS = 10_000

export interface Standing {
  /** It can be used, as it now stands there. */
  onFit (): void
  /** It answers and is not to be used: the connection is ended, and tried again with back-off. */
  onUnfit (why: Error): void
}

export interface ClientOptions {
  commandTimeout: number
  protocol?: 2
  autoResubscribe?: boolean
  /** It asks so often at least, milliseconds. */
  askMs?: number
}

/**
 * A client that fails fast and is not open yet. A server that cannot be written to is as good as none: views that it shows are
 * old, and no mark reaches it. It is looked at whenever a connection is ready, and left as soon as it says READONLY, so that a
 * name that leads to the new primary is followed.
 */
export function redisClient (url: string, { askMs = ASK_MS, ...options }: ClientOptions, { onFit, onUnfit }: Standing): Redis {
  let unfit = 0
  const refuse = (why: string) => {
    unfit++
    onUnfit(new Error(why))
    return true
  }
  const client = withServerName(new Redis(url, {
    enableOfflineQueue: false,
    // ioredis takes a server that has no INFO (renamed away; twemproxy, Envoy) for none, and says so to the console where access control refuses it.
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 1000,
    lazyConnect: true,
    retryStrategy: (times) => backOff(Math.max(times - 1, unfit), RECONNECT),
    reconnectOnError: ({ message }) => message.startsWith('READONLY') && refuse(READ_ONLY),
    ...options
  }))
  let asking: NodeJS.Timeout | undefined
  client.on('close', () => { clearInterval(asking) })
  client.on('ready', () => {
    clearInterval(asking)
    asking = setInterval(() => { client.ping().catch(() => {}) }, askMs).unref() // refused is answered too
    void faultOf(client).then((fault) => {
      if (client.status !== 'ready') return
      if (fault !== null && refuse(fault)) return client.disconnect(true)
      unfit = 0
      onFit()
    })
  })
  return client
}

const LOADING = 'it is still loading what it had on disk'
const READ_ONLY = 'it is a replica, where nothing can be written: name the primary in REDIS_URL'
export const CLUSTERED = 'it is in cluster mode, which is not supported (several keys are read and written at once): name a Redis without it in REDIS_URL'

/** null: nothing speaks against it, or it cannot be asked. */
async function faultOf (client: Redis): Promise<string | null> {
  const info = await client.info().catch(() => '')
  if (/^loading:1/m.test(info)) return LOADING
  if (/^redis_mode:cluster/m.test(info)) return CLUSTERED
  return /^role:slave/m.test(info) ? READ_ONLY : null
}

/** TLS names the host that is asked for (SNI, RFC 6066, section 3): ioredis does not. */
export function withServerName (client: Redis): Redis {
  const { tls, host = '' } = client.options
  if (tls && isIP(host) === 0) client.options.tls = { servername: host, ...(typeof tls === 'object' ? tls : {}) }
  return client
}
