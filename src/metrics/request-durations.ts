import { type Histogram, SECONDS } from './histogram.js'
import type { Metrics } from './metrics.js'

type ByStatus = Array<Histogram | undefined>

/**
 * How long requests took, by route pattern, method and status: sets that the code closes. Whatever meets no route is one label
 * value, its method too. Each histogram is found by what a request has anyway: nothing is made for one.
 */
export class RequestDurations {
  readonly #routes = new Map<string, Map<string, ByStatus>>()
  readonly #unknown: ByStatus = []
  readonly #histogramOf: ReturnType<Metrics['histograms']>

  constructor (metrics: Metrics) {
    this.#histogramOf = metrics.histograms('comanda_http_request_duration_seconds',
      'From a request to its answer; probes, scrapes and what is no proper HTTP are left out', SECONDS)
  }

  /** @param route its pattern; undefined: it met none @param ms the whole answer's time */
  observe (route: string | undefined, method: string, status: number, ms: number): void {
    const byStatus = route === undefined ? this.#unknown : this.#byStatus(route, method)
    byStatus[status] ??= this.#histogramOf({ route: route ?? 'unknown', method: route === undefined ? 'any' : method, status: String(status) })
    byStatus[status].observe(ms / 1000)
  }

  #byStatus (route: string, method: string): ByStatus {
    const methods = this.#routes.get(route)
    const known = methods?.get(method)
    if (known) return known
    const byStatus: ByStatus = []
    if (methods) methods.set(method, byStatus)
    else this.#routes.set(route, new Map([[method, byStatus]]))
    return byStatus
  }
}
