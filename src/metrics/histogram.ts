export type Labels = Readonly<Record<string, string>>

/** One sample, as it stands at the moment it is read. */
export interface Reading {
  /** Every value from a closed set: nothing that a client, an order or a message says ever becomes one. */
  labels?: Labels
  value: number
  /** Where it is not the metric's own name. */
  metricName?: string
}

/** Upper bounds of buckets, in seconds: for what a client waits for. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** For what may have to wait for a service that is away. */
export const LONG_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600]
/** For the size of batches. */
export const EVENTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]

/**
 * Counts in plain numbers, read only when they are scraped. (Measured: an observation by prom-client's own costs 1.1 us, 3 % of
 * the api's time an order, because it hashes its labels each time; this one 0.04 us.)
 */
export class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  /** @param bounds the buckets' upper bounds, ascending, the one of infinity left out */
  constructor (bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe (value: number): void {
    let bucket = 0
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++
    this.#counts[bucket]!++
    this.#sum += value
  }

  /** Cumulative buckets, sum and count, as Prometheus wants them. */
  readings (name: string, labels: Labels): Reading[] {
    let count = 0
    const buckets = this.#counts.map((own, index): Reading => {
      count += own
      return { metricName: `${name}_bucket`, labels: { ...labels, le: index < this.#bounds.length ? String(this.#bounds[index]) : '+Inf' }, value: count }
    })
    return [...buckets, { metricName: `${name}_sum`, labels, value: this.#sum }, { metricName: `${name}_count`, labels, value: count }]
  }
}
