/**
 * The words of this folder. A *service* is one of the three backing servers as the rest of the code sees it: an address
 * and a way to let go of it. A *running server* is a process this house started itself and may kill.
 */
export type ServiceName = 'postgres' | 'redis' | 'rabbitmq'

export type Env = Readonly<Record<string, string | undefined>>

/** How to run rabbitmqctl against the node behind a service. */
export interface RabbitControl {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Env
  /** The AMQP port as the node itself sees it: asked of the node before anything is changed on it. */
  readonly port: number
}

export interface LocalService {
  readonly name: ServiceName
  /** Where it answers, credentials included; null when it cannot be had on this machine. */
  readonly url: string | null
  /** One line for people, never with a password. */
  readonly how: string
  /** True when stop() really stops it; false when it was given or belongs to someone else. */
  readonly ours: boolean
  /** RabbitMQ only, and only where a rabbitmqctl may reach the node. */
  readonly control?: RabbitControl
  /** Ends a server of ours within a limit (then it is killed); does nothing otherwise. May be called twice. */
  stop(): Promise<void>
}

export interface LocalServices {
  readonly postgres: LocalService
  readonly redis: LocalService
  readonly rabbitmq: LocalService
  /** Stops what is ours, gives the state folder back; removes it for purpose 'test'. May be called twice. */
  stop(): Promise<void>
}

export interface FindOptions {
  /**
   * Read from it: DATABASE_URL, REDIS_URL, AMQP_URL, COMANDA_USE_LOCALHOST for 'start'; the same names with TEST_
   * (TEST_USE_LOCALHOST) for 'test'; COMANDA_NO_INSTALL, CI, PATH for both.
   */
  readonly env: Env
  readonly purpose: 'start' | 'test'
  /** Data, passwords and the lock. 'start': kept from run to run. 'test': removed by stop(). */
  readonly stateDir: string
  say (line: string): void
  /** Of a Postgres that is started, as { max_connections: '50' }. */
  readonly postgresSettings?: Readonly<Record<string, string>>
}

/** A server process started by this house on a loopback port. */
export interface Running {
  readonly url: string
  /** The server process itself, not a wrapper script. */
  readonly pid: number
  readonly port: number
  /** The folder with its data and log. */
  readonly stateDir: string
  readonly control?: RabbitControl
  /** True when a launcher before us started it and was killed. */
  readonly adopted: boolean
  /**
   * SIGSTOP, SIGCONT and SIGKILL reach the whole process tree (a stopped postmaster alone would leave its backends
   * answering), other signals the server process. SIGKILL resolves when all of it is gone.
   */
  kill (signal: NodeJS.Signals): Promise<void>
  /** Orderly end within a limit, then SIGKILL. Works on a stopped or dead server too. The data stays. */
  stop (): Promise<void>
}
