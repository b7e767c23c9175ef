import type { Redis, Result } from 'ioredis'

declare module 'ioredis' {
  interface RedisCommander<Context> {
    markSessions (key: string, mark: string, lifeMs: number): Result<number, Context>
  }
}

/** Keeps a mark and tells every process, in one step. Scores are moments of expiry by Redis' own clock, the only one asked. One that may not be published is kept all the same: the others ask for it. */
const MARK = `
local now = redis.call('time')[1] * 1000
redis.call('zremrangebyscore', KEYS[1], '-inf', now)
redis.call('zadd', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('pexpire', KEYS[1], ARGV[2])
redis.pcall('publish', KEYS[1], ARGV[1])
return 1`

/** `<user_id> <epoch>`: this user's sessions of older epochs are over. */
const FORM = /^(\d+) (\d+)$/
/** Published, and no mark: whether this user may publish cannot be asked otherwise. */
const NO_MARK = '-'
/** A connection that is cut without a word says nothing: the marks are asked for again this often. */
const CHECK_MS = 15_000
/** Beyond it the oldest is forgotten: whoever can write to Redis can make as many as they like. */
const MOST_MARKS = 100_000

export interface RevocationsOptions {
  /** A connection of its own, not open yet; RESP3 lets it ask while it is subscribed. null: there is no Redis */
  redis: Redis | null
  prefix: string
  /** How long a mark is kept: as long as the longest session. */
  lifeMs: number
  /** The user's present epoch in the tables; null: there never was such a user. @throws Error where they cannot be asked */
  epochOf: (userId: number) => Promise<number | null>
  /** Told whenever it changes which commands Redis refuses to this user (its access control lists): none, or marks come late. */
  onLacking?: (commands: readonly string[]) => void
  /** Redis did not take a mark. */
  onFailure: (error: Error, userId: number) => void
}

interface Mark {
  epoch: number
  /** Milliseconds since 1970. */
  expires: number
  /** The user's epoch in the tables, once it was asked for because of this mark; null where the mark has to be believed. */
  known: Promise<number | null> | null
}

/**
 * The marks of sessions that ended before their time, shared by every process through Redis and all held in memory, so that
 * each request's token is checked by one lookup. A mark only ever refuses what is older than it: an old one does no harm.
 * One above what the tables say (whoever can write to Redis can make one; tables that were restored from a backup are behind
 * theirs) would lock its user out: before it refuses the first session it is held against them.
 */
export class Revocations {
  readonly #options: RevocationsOptions
  readonly #key: string
  readonly #marks = new Map<number, Mark>()
  /** Marks that Redis did not take, the epoch by the user: shared as soon as it is back. */
  readonly #unshared = new Map<number, number>()
  readonly #checks: NodeJS.Timeout | undefined
  #complete = false
  #lacking = ''

  constructor (options: RevocationsOptions) {
    const { redis, prefix } = options
    this.#options = options
    this.#key = `${prefix}revocations`
    if (!redis) return
    redis.defineCommand('markSessions', { lua: MARK, numberOfKeys: 1 })
    redis.on('message', (_channel, mark) => this.#hear(mark))
    redis.on('ready', () => { void this.#follow(redis) })
    redis.on('close', () => { this.#complete = false })
    this.#checks = setInterval(() => { if (redis.status === 'ready') void this.#follow(redis) }, CHECK_MS).unref()
  }

  /** As far as marks tell. */
  isRevoked ({ user_id, epoch }: { user_id: number, epoch: number }): boolean {
    const mark = this.#marks.get(user_id)
    return mark !== undefined && mark.epoch > epoch
  }

  /** For a session that `isRevoked`: whether the tables know of that too. While they cannot be asked the mark is believed. */
  async isOver (session: { user_id: number, epoch: number }): Promise<boolean> {
    const mark = this.#marks.get(session.user_id)
    if (!mark) return false
    mark.known ??= this.#ask(session.user_id, mark)
    const epoch = await mark.known
    // By what the tables say, not by the marks: another may have come meanwhile, as little known to them as this one.
    return epoch === null || epoch > session.epoch
  }

  async #ask (userId: number, mark: Mark): Promise<number | null> {
    try {
      const epoch = await this.#options.epochOf(userId)
      if (epoch === null || epoch >= mark.epoch) return epoch
      // It is read after the mark was heard, and a mark is made after its epoch is committed: this one never was.
      if (this.#marks.get(userId) === mark) this.#marks.delete(userId)
      if (epoch > 0) this.#keep(userId, epoch, true)
      this.#options.redis?.zrem(this.#key, `${userId} ${mark.epoch}`).catch(() => {})
      return epoch
    } catch {
      mark.known = null
      return null
    }
  }

  /** Whether every mark that Redis holds is known here. */
  get complete (): boolean {
    return this.#complete
  }

  /** Ends this user's sessions of older epochs: here at once, in every other process as soon as Redis has told it. Never throws. */
  async mark (userId: number, epoch: number): Promise<void> {
    this.#keep(userId, epoch, true)
    const { redis, onFailure } = this.#options
    if (!redis) return
    try {
      await this.#share(redis, userId, epoch)
    } catch (error) {
      this.#unshared.set(userId, epoch)
      onFailure(error as Error, userId)
    }
  }

  async #share (redis: Redis, userId: number, epoch: number): Promise<void> {
    await redis.markSessions(this.#key, `${userId} ${epoch}`, this.#options.lifeMs)
    if (this.#unshared.get(userId) === epoch) this.#unshared.delete(userId)
  }

  stop (): void {
    clearInterval(this.#checks)
  }

  /** Subscribes first and loads then: a mark that is set in between is heard. */
  async #follow (redis: Redis): Promise<void> {
    try {
      const refused = await this.#refusedOf(redis)
      for (const mark of await redis.zrange(this.#key, '0', '-1')) this.#hear(mark)
      this.#complete = refused.length === 0
      for (const [userId, epoch] of [...this.#unshared]) await this.#share(redis, userId, epoch)
    } catch (error) {
      this.#complete = false
      // A refusal is an answer: another connection would be refused as well, at once and for ever.
      if (redis.status === 'ready' && !isRefusal(error)) redis.disconnect(true)
    }
  }

  /** Subscribes. Without the right to it marks are asked for every CHECK_MS all the same. @returns the commands that this user may not run */
  async #refusedOf (redis: Redis): Promise<string[]> {
    const refused: string[] = []
    const attempt = async (command: string, run: () => Promise<unknown>) => {
      await run().catch((error: unknown) => {
        if (!isRefusal(error)) throw error
        refused.push(command)
      })
    }
    await attempt('subscribe', async () => await redis.subscribe(this.#key))
    await attempt('publish', async () => await redis.publish(this.#key, NO_MARK))
    if (refused.join() !== this.#lacking) this.#options.onLacking?.(refused)
    this.#lacking = refused.join()
    return refused
  }

  #hear (mark: string): void {
    const [userId, epoch] = FORM.exec(mark)?.slice(1).map(Number) ?? []
    if (userId !== undefined && epoch !== undefined) this.#keep(userId, epoch)
  }

  /** @param known to the tables */
  #keep (userId: number, epoch: number, known = false): void {
    if ((this.#marks.get(userId)?.epoch ?? 0) >= epoch) return
    const now = Date.now()
    this.#marks.delete(userId)
    this.#marks.set(userId, { epoch, expires: now + this.#options.lifeMs, known: known ? Promise.resolve(epoch) : null })
    // In the order of their coming: the first that is still good ends the search.
    for (const [id, { expires }] of this.#marks) {
      if (expires > now && this.#marks.size <= MOST_MARKS) break
      this.#marks.delete(id)
    }
  }
}

/** By Redis' access control lists; of a command inside a script it says so in other words. */
function isRefusal (error: unknown): boolean {
  return error instanceof Error && /^NOPERM|ACL failure in script|The user executing the script can't/.test(error.message)
}
