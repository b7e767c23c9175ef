/** What a run of the bench is asked for. */
export interface Settings {
  rounds: number
  /** Length of one timed load. */
  seconds: number
  connections: number
  /** The backlog that is drained, orders. */
  orders: number
  /** Orders that a list is the first page of. */
  table: number
  /** Orders a second where they come by a schedule. */
  rate: number
  /** Names of the paths to measure. */
  only: string[]
  /** Minutes at full load; 0: that path is left out. */
  soak: number
  /** Name of the sweep to make in place of the paths; null: none. */
  sweep: string | null
  /** Points of the sweep above it are left out. */
  largest: number
  /** Where the plot of the sweep goes; null: beside its figures. */
  plot: string | null
  /** Write the HTML page. */
  report: boolean
  /** Write CPU profiles of api and worker; the figures then include the cost of profiling. */
  profile: boolean
}
