import { isWanted, type Wanted } from './filter.js'
import { type Line, parseLine } from './parse.js'
import { Reasons } from './reasons.js'
import { beganAt, showLine, showReason } from './show.js'
import { escapeSteering } from './terminal.js'

export interface ReportOptions extends Wanted {
  /** One JSON object a line. */
  json: boolean
  colours: boolean
}

/**
 * Makes of lines what was asked for. It holds nothing but a story (the lines about one order or request, to bring them into the
 * order of time) and one example a reason.
 */
export class Report {
  readonly #options: ReportOptions
  readonly #story: Line[] = []
  readonly #reasons = new Reasons()
  readonly #isStory: boolean
  #since: Line | undefined
  #ended = false
  lines = 0
  found = 0
  /** Lines that are not ours: passed over. */
  foreign = 0

  constructor (options: ReportOptions) {
    this.#options = options
    this.#isStory = options.errors !== true && (options.order !== undefined || options.request !== undefined)
  }

  /** @returns what is to be printed now */
  read (text: string): string[] {
    if (text.trim() === '') return []
    this.lines++
    const line = parseLine(text)
    if (!line) {
      this.foreign++
      return []
    }
    if (!isWanted(line, this.#options)) return []
    this.found++
    if (this.#options.errors === true) this.#reasons.add(line)
    else if (this.#isStory && !this.#ended) this.#story.push(line)
    else return [this.#shown(line)]
    return []
  }

  /** What was held until the end; of a story that goes on, further lines are shown as they come. */
  end (): string[] {
    if (this.#options.errors === true) return this.#reasons.list().map((reason) => this.#options.json ? escapeSteering(JSON.stringify(reason)) : showReason(reason, this.#options.colours))
    this.#ended = true
    return this.#story.splice(0).sort((a, b) => beganAt(a) - beganAt(b)).map((line) => this.#shown(line))
  }

  #shown (line: Line): string {
    if (this.#options.json) return escapeSteering(JSON.stringify(line))
    if (this.#isStory) this.#since ??= line
    return showLine(line, { since: this.#since, colours: this.#options.colours })
  }
}
