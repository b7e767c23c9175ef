/** What was started or made and has to end again, last first; also after a failure or on Ctrl-C. */
export class Cleanup {
  readonly #cleanup: Array<{ what: string, end: () => unknown }> = []
  #ending: Promise<void> | undefined

  get begun (): boolean {
    return this.#ending !== undefined
  }

  add (what: string, end: () => unknown): void {
    this.#cleanup.push({ what, end })
  }

  /** Runs every ending once, a failed one is reported and does not keep the others from running. */
  async run (): Promise<void> {
    this.#ending ??= this.#run()
    await this.#ending
  }

  async #run (): Promise<void> {
    for (let next = this.#cleanup.pop(); next; next = this.#cleanup.pop()) {
      try {
        await next.end()
      } catch (error) {
        console.error(`not ended: ${next.what}: ${(error as Error).message}`)
      }
    }
  }
}

/** Runs a bench and whatever has to end after it, also on a signal and after a failure. */
export async function withCleanup (bench: (cleanup: Cleanup) => Promise<void>): Promise<void> {
  const cleanup = new Cleanup()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, async () => {
      await cleanup.run()
      process.exit(130)
    })
  }
  try {
    await bench(cleanup)
  } catch (error) {
    if (cleanup.begun) return // a signal is taking everything down
    console.error((error as Error).message)
    process.exitCode = 1
  } finally {
    await cleanup.run()
  }
}
