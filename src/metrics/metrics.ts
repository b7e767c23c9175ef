import { collectDefaultMetrics, type Metric, Registry } from 'prom-client'
import { Histogram, type Labels, type Reading } from './histogram.js'

type Read = () => readonly Reading[] | Promise<readonly Reading[]>

/** Of the process itself: memory, CPU, event-loop lag. Shared by all that is built in it, because nothing ever stops them. */
let ofProcess: Registry | undefined

/**
 * What a process tells about itself, in the Prometheus text format. Nearly all of it is read when it is asked for, from plain
 * numbers that the modules hold anyway: an order pays for an increment, never for labels.
 */
export class Metrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE
  readonly #registry = new Registry()

  constructor () {
    if (ofProcess) return
    ofProcess = new Registry()
    collectDefaultMetrics({ register: ofProcess })
  }

  gauge (name: string, help: string, read: Read): void {
    this.#add('gauge', name, help, read)
  }

  /** @param read numbers that only ever grow while the process lives */
  counter (name: string, help: string, read: Read): void {
    this.#add('counter', name, help, read)
  }

  histogram (name: string, help: string, bounds: readonly number[]): Histogram {
    return this.histograms(name, help, bounds)({})
  }

  /** @returns gives the histogram of these labels, a new one each time: ask once and keep it */
  histograms (name: string, help: string, bounds: readonly number[]): (labels: Labels) => Histogram {
    const children: Array<[Labels, Histogram]> = []
    this.#add('histogram', name, help, () => children.flatMap(([labels, histogram]) => histogram.readings(name, labels)))
    return (labels) => {
      const child = new Histogram(bounds)
      children.push([labels, child])
      return child
    }
  }

  async text (): Promise<string> {
    return `${await this.#registry.metrics()}${await ofProcess!.metrics()}`
  }

  #add (type: 'gauge' | 'counter' | 'histogram', name: string, help: string, read: Read): void {
    // All that a registry asks of a metric; its own classes would hold every number a second time.
    const metric = { name, help, type, aggregator: 'sum', get: async () => ({ name, help, type, aggregator: 'sum', values: await read() }) }
    this.#registry.registerMetric(metric as unknown as Metric)
  }
}
