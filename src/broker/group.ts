/** Whether an item that failed may have been taken all the same. */
export type Failure = 'refused' | 'unknown'

export class GroupError extends Error {
  override readonly name = 'GroupError'
  /** `refused`: it never left, or was turned down; `unknown`: it left and was not answered */
  readonly outcome: Failure

  constructor (outcome: Failure, detail: string, options?: ErrorOptions) {
    super(detail, options)
    this.outcome = outcome
  }
}

export interface GroupOptions<T> {
  /** Sends one group; its rejection is every item's. An error's own `outcome` is kept, else it is `unknown`. */
  send (items: T[]): Promise<void>
  /** bytes */
  sizeOf (item: T): number
  maxItems: number
  maxBytes: number
  /** Groups under way at a time; above the first only full ones are sent. */
  maxInFlight: number
  /** Items held at a time, in flight and unsettled ones included: what bounds memory in an outage. */
  maxHeld: number
  /** An item's whole time, from its arrival. */
  timeLimitMs: number
}

interface Entry<T> {
  item: T
  size: number
  deadline: number
  settled: boolean
  resolve (): void
  reject (error: Error): void
}

/**
 * Group commit: an item is sent at once when nothing is under way; while a group awaits its answer, further items gather
 * and leave together. No timer stands in the way of a lone item, one answer serves hundreds of busy ones.
 */
export class Group<T> {
  readonly #options: GroupOptions<T>
  #gathered: Array<Entry<T>> = []
  /** Of all that is gathered. */
  #bytes = 0
  readonly #flights = new Set<Array<Entry<T>>>()
  #inFlight = 0
  #sweeper: NodeJS.Timeout | undefined
  /** Items whose caller still waits. */
  #unsettled = 0
  #onSettled: Array<() => void> = []

  constructor (options: GroupOptions<T>) {
    this.#options = options
  }

  /** Items not settled, late ones in flight included. */
  get held (): number {
    return this.#gathered.length + this.#inFlight
  }

  /** Something sent is past its time and still unanswered: the receiver is stuck. */
  get stalled (): boolean {
    const now = performance.now()
    for (const [first] of this.#flights) if (first && first.deadline <= now) return true
    return false
  }

  /** Resolves when the group that took the item was answered. @throws GroupError */
  async add (item: T): Promise<void> {
    await this.addAll([item])[0]
  }

  /** Items that came together leave together, as far as the limits allow; one promise each, as `add`. */
  addAll (items: readonly T[]): Array<Promise<void>> {
    const taken = items.map((item) => this.#enter(item))
    this.#pump()
    return taken
  }

  #enter (item: T): Promise<void> {
    if (this.held >= this.#options.maxHeld) return Promise.reject(new GroupError('refused', 'too many are waiting'))
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + this.#options.timeLimitMs
      this.#unsettled++
      const size = this.#options.sizeOf(item)
      this.#bytes += size
      this.#gathered.push({ item, size, deadline, settled: false, resolve, reject })
      this.#sweeper ??= setInterval(() => this.#sweep(), Math.ceil(this.#options.timeLimitMs / 8))
    })
  }

  /** Gives back everything gathered and not sent, as refused. What is in flight is settled by its own send. */
  rejectQueued (detail: string): void {
    for (const entry of this.#takeOut(this.#gathered.length)) this.#settle(entry, new GroupError('refused', detail))
  }

  /** Resolves when no caller waits any more; what was given up in flight is not waited for. */
  async settled (): Promise<void> {
    if (this.#unsettled > 0) await new Promise<void>((resolve) => { this.#onSettled.push(resolve) })
  }

  #pump (): void {
    const { maxItems, maxBytes, maxInFlight } = this.#options
    while (this.#gathered.length > 0 && this.#flights.size < maxInFlight) {
      const full = this.#gathered.length >= maxItems || this.#bytes > maxBytes
      if (this.#flights.size > 0 && !full) return
      void this.#send(this.#takeOut(this.#fitting()))
    }
  }

  /** How many of the gathered fit into one group: at least one. */
  #fitting (): number {
    const { maxItems, maxBytes } = this.#options
    let [count, bytes] = [0, 0]
    for (const { size } of this.#gathered) {
      bytes += size
      if (count === maxItems || (count > 0 && bytes > maxBytes)) break
      count++
    }
    return count
  }

  #takeOut (count: number): Array<Entry<T>> {
    const entries = this.#gathered.splice(0, count)
    for (const { size } of entries) this.#bytes -= size
    return entries
  }

  async #send (entries: Array<Entry<T>>): Promise<void> {
    this.#flights.add(entries)
    this.#inFlight += entries.length
    try {
      await this.#options.send(entries.map(({ item }) => item))
      for (const entry of entries) this.#settle(entry)
    } catch (cause) {
      const error = groupError(cause)
      for (const entry of entries) this.#settle(entry, error)
    } finally {
      this.#flights.delete(entries)
      this.#inFlight -= entries.length
      this.#pump()
    }
  }

  /** Entries stand in the order of their deadlines. */
  #sweep (): void {
    const now = performance.now()
    const late = this.#gathered.findIndex((entry) => entry.deadline > now)
    const unsent = this.#takeOut(late === -1 ? this.#gathered.length : late)
    for (const entry of unsent) this.#settle(entry, new GroupError('refused', 'not sent in time'))
    for (const flight of this.#flights) {
      for (const entry of flight) if (entry.deadline <= now) this.#settle(entry, new GroupError('unknown', 'not answered in time'))
    }
  }

  #settle (entry: Entry<T>, error?: Error): void {
    if (entry.settled) return
    entry.settled = true
    if (error) entry.reject(error)
    else entry.resolve()
    if (--this.#unsettled > 0) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
    for (const resolve of this.#onSettled.splice(0)) resolve()
  }
}

function groupError (cause: unknown): GroupError {
  if (cause instanceof GroupError) return cause
  const outcome = (cause as { outcome?: Failure } | null)?.outcome === 'refused' ? 'refused' : 'unknown'
  return new GroupError(outcome, cause instanceof Error ? cause.message : String(cause), { cause })
}
