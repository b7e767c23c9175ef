/**
 * Words of this room:
 * - fault: something done to a process, a service or a connection, from a moment on and for a while.
 * - target: what kind of thing it is done to; subject: which one of them.
 * - heal: the end of a fault; whatever it took away may need a while to be back.
 * - nemesis: what plans the faults (nemesis.ts) and carries them out (nemesis-run.ts, injections.ts); environment: all that they
 *   are done to (environment.ts).
 */
export const TARGETS = ['worker', 'api', 'relay', 'broker', 'postgres', 'redis', 'network'] as const
export type Target = typeof TARGETS[number]

/** `single`: each backing service is one server; `cluster`: three brokers, and a Postgres with a standby. */
export const STAGES = ['single', 'cluster'] as const
export type Stage = typeof STAGES[number]

/** The three that the promise lets one of be away at a time. */
export const SERVICES = ['broker', 'postgres', 'redis'] as const
export type Service = typeof SERVICES[number]

/** Which services each kind of process uses; it reaches each through a proxy of its own. */
export const USES = { api: SERVICES, worker: SERVICES, relay: ['broker', 'postgres'] } as const
export type Command = keyof typeof USES
export const COMMANDS = Object.keys(USES) as Command[]
export type Link = `${Command}-${Service}`
export const LINKS: readonly Link[] = COMMANDS.flatMap((from) => USES[from].map((to) => `${from}-${to}` as const))

export const PROCESSES = ['api-1', 'api-2', 'worker-1', 'worker-2', 'worker-3', 'relay-1', 'relay-2'] as const
export type ProcessName = typeof PROCESSES[number]

export function commandOf (name: ProcessName): Command {
  return name.split('-')[0] as Command
}

export const SUBJECTS: Record<Target, readonly string[]> = {
  worker: ['worker-1', 'worker-2', 'worker-3'], api: ['api-1', 'api-2'], relay: ['relay-1', 'relay-2'], broker: ['broker'], postgres: ['postgres'], redis: ['redis'], network: LINKS
}

export interface Fault {
  /** Seconds from the start of the load. */
  at: number
  target: Target
  subject: string
  kind: string
  /** Seconds until it is healed; 0: over as soon as it is done. */
  duration: number
  /** Of kind `delay`: milliseconds that every byte takes longer, each way. */
  delay?: number
  /** Given by hand. */
  planned?: true
}

/** What may be done to each target, and for how many seconds at least and at most. */
export const KINDS: Record<Target, Record<string, readonly [least: number, most: number]>> = {
  worker: {
    kill: [0, 0], // SIGKILL; restarted by its supervisor
    term: [0, 0], // SIGTERM; likewise
    pause: [2, 6] // SIGSTOP, SIGCONT
  },
  api: { kill: [0, 0], term: [0, 0], pause: [2, 6] },
  relay: { kill: [0, 0], term: [0, 0], pause: [2, 8] },
  broker: {
    kill: [1, 4], // SIGKILL, and away for that long
    restart: [0, 0], // in order
    pause: [2, 8],
    drop: [0, 0], // every connection closed
    memory_alarm: [3, 8],
    disk_alarm: [3, 8]
  },
  postgres: {
    kill: [1, 4],
    restart: [0, 0],
    pause: [2, 6],
    drop: [0, 0], // every session terminated
    read_only: [3, 8],
    long_write: [3, 10], // a transaction that writes, open for so long in another database
    rollbacks: [2, 6] // transactions that draw positions of the feed and roll back
  },
  redis: {
    kill: [0.5, 4], // comes back empty
    pause: [1, 5],
    flush: [0, 0],
    stall: [1, 4] // CLIENT PAUSE
  },
  network: {
    cut: [0, 0],
    refuse: [2, 6],
    silent: [2, 8], // half-open: taken and lost, both ways
    lose_requests: [2, 8],
    lose_answers: [2, 8],
    delay: [3, 8]
  }
}

/** In the clustered stage only. */
export const CLUSTER_KINDS: Record<'broker' | 'postgres' | 'redis', Record<string, { subjects: readonly string[], seconds: readonly [least: number, most: number] }>> = {
  broker: {
    kill_node: { subjects: ['leader'], seconds: [3, 6] },
    pause_node: { subjects: ['follower', 'leader'], seconds: [6, 10] },
    isolate_node: { subjects: ['leader', 'follower'], seconds: [14, 20] }, // longer than it takes to be noticed
    rolling_restart: { subjects: ['broker'], seconds: [0, 0] }
  },
  postgres: { fail_over: { subjects: ['postgres'], seconds: [0, 0] } }, // the primary killed, the standby promoted
  redis: { kill: { subjects: ['redis'], seconds: [1, 4] } }
}

/** Undoes a fault; resolves when what it took away answers again. */
export type Heal = () => Promise<void>

/** In a plan only: stopped in order, and away for the duration. */
export const PLANNED_KINDS: Partial<Record<Target, readonly string[]>> = { broker: ['down'], postgres: ['down'], redis: ['down', 'restart'] }

/** Which backing service a fault takes away; null: none. */
export function serviceOf ({ target, subject }: Pick<Fault, 'target' | 'subject'>): Service | null {
  const name = target === 'network' ? subject.split('-')[1] : target
  return SERVICES.find((service) => service === name) ?? null
}

export function describeFault ({ at, subject, kind, duration, delay }: Fault): string {
  const often = delay === undefined ? '' : ` of ${delay} ms`
  return `${at.toFixed(1).padStart(6)} s  ${subject} ${kind}${often}${duration > 0 ? ` for ${duration.toFixed(1)} s` : ''}`
}
