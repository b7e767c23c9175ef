import { createWriteStream, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { OrderInput } from '../src/orders/order.js'
import type { Outcome, Seen } from '../testkit/clients/answers.js'

export const KINDS = ['place', 'amend', 'cancel', 'move', 'read', 'list', 'session'] as const
export type OpKind = typeof KINDS[number]

/** One thing a client asks for; of a batch each order is one, under the same `request_id`. */
export interface Invocation {
  client: string
  user_id: number
  kind: OpKind
  request_id: string
  /** Of a placement: unique, the second word of the description, so that every row can be explained. */
  token?: string
  key?: string
  line?: OrderInput
  /** Of all but placements: the order it is about. */
  order_id?: string
  /** Of an amendment. */
  change?: Partial<OrderInput>
  /** Of a move. */
  to?: string
  if_match?: string
}

export interface Ending {
  outcome: Outcome
  /** HTTP; 0: no answer */
  status: number
  /** The problem's code, as `order-not-found`; what went wrong with the connection; '' for none. */
  problem: string
  seen: Seen[]
  replayed?: boolean
}

/** All moments are milliseconds since 1970 by a clock that never jumps. */
export interface Op extends Invocation, Ending {
  op: number
  at: number
  ended: number
}

export const now = (): number => performance.timeOrigin + performance.now()

/**
 * What the clients asked for and what they were told: a line is written before each request is sent, and one after its answer.
 */
export class History {
  /** Those that have ended, in the order of their ends. */
  readonly ops: Op[] = []
  readonly #file: WriteStream
  #next = 1

  constructor (file: string) {
    this.#file = createWriteStream(file)
  }

  /** Writes down what is about to be sent. @returns how to write down its end */
  invoke (invocation: Invocation): (ending: Ending) => Op {
    const op = this.#next++
    const at = now()
    this.#write({ op, type: 'invoke', at, ...invocation })
    return (ending) => {
      const { outcome, ...rest } = ending
      const done: Op = { op, at, ended: now(), ...invocation, ...ending }
      this.#write({ op, type: outcome, at: done.ended, ...rest })
      this.ops.push(done)
      return done
    }
  }

  async close (): Promise<void> {
    this.#file.end()
    await finished(this.#file)
  }

  #write (line: object): void {
    this.#file.write(`${JSON.stringify(line)}\n`)
  }
}
